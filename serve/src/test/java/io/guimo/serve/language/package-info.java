@NullMarked
package io.guimo.serve.language;

import org.jspecify.annotations.NullMarked;
