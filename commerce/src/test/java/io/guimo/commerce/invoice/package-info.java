@NullMarked
package io.guimo.commerce.invoice;

import org.jspecify.annotations.NullMarked;
