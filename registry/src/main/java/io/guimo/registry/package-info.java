@NullMarked
package io.guimo.registry;

import org.jspecify.annotations.NullMarked;
