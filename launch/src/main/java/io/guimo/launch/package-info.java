@NullMarked
package io.guimo.launch;

import org.jspecify.annotations.NullMarked;
