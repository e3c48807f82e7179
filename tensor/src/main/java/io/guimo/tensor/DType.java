package io.guimo.tensor;

import org.bytedeco.pytorch.global.torch.ScalarType;

/** Type of a tensor's elements: those that the house's networks, labels and saved states use. */
public enum DType {
    FLOAT32(ScalarType.Float, 4),
    FLOAT64(ScalarType.Double, 8),
    /** The upper half of a FLOAT32's bits: its range, 3 significant decimals. */
    BFLOAT16(ScalarType.BFloat16, 2),
    /** IEEE 754 binary16. */
    FLOAT16(ScalarType.Half, 2),
    INT64(ScalarType.Long, 8),
    UINT8(ScalarType.Byte, 1),
    BOOL(ScalarType.Bool, 1);

    private final ScalarType handle;
    private final int bytes;

    DType(ScalarType handle, int bytes) {
        this.handle = handle;
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    ScalarType handle() {
        return handle;
    }

    static DType of(ScalarType handle) {
        // JavaCPP makes a new object of its enum for each call
        for (DType type : values()) if (type.handle.value == handle.value) return type;
        throw new IllegalStateException(
                "libtorch returned elements of type " + handle + ", which the house does not use");
    }
}
