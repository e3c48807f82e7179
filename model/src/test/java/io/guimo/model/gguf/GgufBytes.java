package io.guimo.model.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes the bytes of a GGUF file by hand, sound or not. */
final class GgufBytes {
    private ByteBuffer bytes = ByteBuffer.allocate(1 << 12).order(ByteOrder.LITTLE_ENDIAN);

    static GgufBytes header(int version, long tensors, long entries) {
        return new GgufBytes().raw("GGUF").int32(version).int64(tensors).int64(entries);
    }

    GgufBytes raw(String text) {
        return raw(text.getBytes(StandardCharsets.UTF_8));
    }

    GgufBytes raw(byte[] some) {
        room(some.length).put(some);
        return this;
    }

    GgufBytes int8(int value) {
        room(1).put((byte) value);
        return this;
    }

    GgufBytes int16(int value) {
        room(2).putShort((short) value);
        return this;
    }

    GgufBytes int32(int value) {
        room(4).putInt(value);
        return this;
    }

    GgufBytes int64(long value) {
        room(8).putLong(value);
        return this;
    }

    GgufBytes float32(float value) {
        room(4).putFloat(value);
        return this;
    }

    GgufBytes float64(double value) {
        room(8).putDouble(value);
        return this;
    }

    GgufBytes string(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return int64(utf8.length).raw(utf8);
    }

    GgufBytes key(String key, GgufValue.ValueType type) {
        return string(key).int32(type.code);
    }

    GgufBytes text(String key, String value) {
        return key(key, GgufValue.ValueType.STRING).string(value);
    }

    GgufBytes texts(String key, java.util.List<String> values) {
        key(key, GgufValue.ValueType.ARRAY)
                .int32(GgufValue.ValueType.STRING.code)
                .int64(values.size());
        values.forEach(this::string);
        return this;
    }

    GgufBytes int32s(String key, int... values) {
        key(key, GgufValue.ValueType.ARRAY)
                .int32(GgufValue.ValueType.INT32.code)
                .int64(values.length);
        for (int value : values) int32(value);
        return this;
    }

    GgufBytes tensor(String name, int type, long offset, long... shape) {
        string(name).int32(shape.length);
        for (long size : shape) int64(size);
        return int32(type).int64(offset);
    }

    GgufBytes align(int alignment) {
        while (bytes.position() % alignment != 0) int8(0);
        return this;
    }

    byte[] toBytes() {
        byte[] written = new byte[bytes.position()];
        bytes.duplicate().flip().get(written);
        return written;
    }

    Path write(Path folder, String name) throws IOException {
        return Files.write(folder.resolve(name), toBytes());
    }

    private ByteBuffer room(int more) {
        if (bytes.remaining() < more) {
            bytes = ByteBuffer.allocate(2 * (bytes.capacity() + more))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .put(bytes.flip());
        }
        return bytes;
    }
}
