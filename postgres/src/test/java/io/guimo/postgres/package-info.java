@NullMarked
package io.guimo.postgres;

import org.jspecify.annotations.NullMarked;
