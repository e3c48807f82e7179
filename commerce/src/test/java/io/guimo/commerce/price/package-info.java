@NullMarked
package io.guimo.commerce.price;

import org.jspecify.annotations.NullMarked;
