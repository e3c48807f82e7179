package io.guimo.text.jinja;

/** What a name or attribute without a value is: false, empty and printed as nothing, and of no other use. */
record Undefined(String what) {}
