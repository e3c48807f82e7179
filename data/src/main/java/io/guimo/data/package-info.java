@NullMarked
package io.guimo.data;

import org.jspecify.annotations.NullMarked;
