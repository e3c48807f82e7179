@NullMarked
package io.guimo.commerce;

import org.jspecify.annotations.NullMarked;
