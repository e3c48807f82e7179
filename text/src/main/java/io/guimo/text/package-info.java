@NullMarked
package io.guimo.text;

import org.jspecify.annotations.NullMarked;
