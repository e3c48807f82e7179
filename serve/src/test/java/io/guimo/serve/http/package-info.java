@NullMarked
package io.guimo.serve.http;

import org.jspecify.annotations.NullMarked;
