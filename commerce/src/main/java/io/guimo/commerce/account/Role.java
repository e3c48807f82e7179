package io.guimo.commerce.account;

/** What a key may do. */
public enum Role {
    /** Uses the models and sees its own organisation's things. */
    CUSTOMER,
    /** The operator: manages every organisation. */
    OWNER
}
