@NullMarked
package io.guimo.shop;

import org.jspecify.annotations.NullMarked;
