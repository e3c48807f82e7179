@NullMarked
package io.guimo.evaluate;

import org.jspecify.annotations.NullMarked;
