@NullMarked
package io.guimo.testkit;

import org.jspecify.annotations.NullMarked;
