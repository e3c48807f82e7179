@NullMarked
package io.guimo.train;

import org.jspecify.annotations.NullMarked;
