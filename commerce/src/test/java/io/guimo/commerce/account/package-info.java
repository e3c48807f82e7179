@NullMarked
package io.guimo.commerce.account;

import org.jspecify.annotations.NullMarked;
