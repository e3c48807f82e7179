@NullMarked
package io.guimo.model;

import org.jspecify.annotations.NullMarked;
