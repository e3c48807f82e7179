@NullMarked
package io.guimo.commerce.command;

import org.jspecify.annotations.NullMarked;
