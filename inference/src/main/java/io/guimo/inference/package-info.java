@NullMarked
package io.guimo.inference;

import org.jspecify.annotations.NullMarked;
