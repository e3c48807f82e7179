@NullMarked
package io.guimo.console;

import org.jspecify.annotations.NullMarked;
