@NullMarked
package io.guimo.serve;

import org.jspecify.annotations.NullMarked;
