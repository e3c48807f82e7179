@NullMarked
package io.guimo.task;

import org.jspecify.annotations.NullMarked;
