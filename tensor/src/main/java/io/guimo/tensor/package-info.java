@NullMarked
package io.guimo.tensor;

import org.jspecify.annotations.NullMarked;
