@NullMarked
package io.guimo.economics;

import org.jspecify.annotations.NullMarked;
