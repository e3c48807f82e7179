package io.guimo.model.decoder;

import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Which keys a query sees. The architectures ask it for nothing else, so that training and serving run the same lines of them. */
interface Attention {
    /**
     * Weighs the values of the keys that each query may see by how well they fit it.
     *
     * @param layer from 0
     * @param queriesBTHD after rotation, if the architecture rotates
     * @param keysBTGD of the same tokens; head g serves the queries' heads g · R to g · R + R − 1
     * @param dropout share of the weights hidden; 0 outside training
     * @return [B, T, H · D]
     */
    Tensor attend(int layer, Tensor queriesBTHD, Tensor keysBTGD, Tensor valuesBTGD, double dropout);

    /** Whole sequences from their first token on: token t sees 0 to t. */
    record Causal() implements Attention {
        @Override
        public Tensor attend(int layer, Tensor queriesBTHD, Tensor keysBTGD, Tensor valuesBTGD, double dropout) {
            if (queriesBTHD.dtype() != DType.FLOAT32) {
                int tokens = Math.toIntExact(queriesBTHD.size(1));
                return weigh(queriesBTHD, keysBTGD, valuesBTGD, causalMask(0, tokens), dropout);
            }
            return merge(queriesBTHD
                    .transpose(1, 2)
                    .attention(keysBTGD.transpose(1, 2), valuesBTGD.transpose(1, 2), null, true, dropout));
        }
    }

    /**
     * Attention of some queries over some keys. The R heads of queries that share a head of keys become further rows of one matrix, so that the keys
     * are never repeated.
     *
     * @param maskTS added to the scores; null: each query sees each key
     * @return [B, T, H · D]
     */
    static Tensor weigh(
            Tensor queriesBTHD, Tensor keysBSGD, Tensor valuesBSGD, @Nullable Tensor maskTS, double dropout) {
        long b = queriesBTHD.size(0);
        long t = queriesBTHD.size(1);
        long h = queriesBTHD.size(2);
        long d = queriesBTHD.size(3);
        long g = keysBSGD.size(2);
        long r = h / g;
        long s = keysBSGD.size(1);
        Tensor queriesBGND =
                queriesBTHD.reshape(b, t, g, r, d).permute(0, 2, 3, 1, 4).reshape(b, g, r * t, d);
        Tensor keysBGSD = keysBSGD.transpose(1, 2);
        Tensor valuesBGSD = valuesBSGD.transpose(1, 2);
        Tensor maskNS = maskTS == null ? null : maskTS.expand(r, t, s).reshape(r * t, s);
        Tensor mixedBGND = queriesBTHD.dtype() == DType.FLOAT32
                ? queriesBGND.attention(keysBGSD, valuesBGSD, maskNS, false, dropout)
                : byHand(queriesBGND, keysBGSD, valuesBGSD, maskNS, dropout);
        return merge(mixedBGND.reshape(b, h, t, d));
    }

    private static Tensor byHand(
            Tensor queriesBGND, Tensor keysBGSD, Tensor valuesBGSD, @Nullable Tensor maskNS, double dropout) {
        Tensor scoresBGNS = queriesBGND
                .multiply(1 / Math.sqrt((double) queriesBGND.size(3)))
                .matmul(keysBGSD.transpose(2, 3))
                .to(DType.FLOAT32); // the sum of a softmax over many keys has no room in 8 bits of mantissa
        if (maskNS != null) scoresBGNS = scoresBGNS.add(maskNS);
        return scoresBGNS
                .softmax(3)
                .dropout(dropout, true)
                .to(valuesBGSD.dtype())
                .matmul(valuesBGSD);
    }

    /**
     * 0 where query t, which stands at place {@code first + t}, sees key s, else −∞.
     *
     * @return [T, first + T]
     */
    static Tensor causalMask(int first, int queries) {
        int keys = first + queries;
        float[] mask = new float[Math.multiplyExact(queries, keys)];
        for (int t = 0; t < queries; t++) {
            for (int s = first + t + 1; s < keys; s++) mask[t * keys + s] = Float.NEGATIVE_INFINITY;
        }
        return Tensor.of(mask, queries, keys);
    }

    private static Tensor merge(Tensor mixedBHTD) {
        long[] shape = mixedBHTD.shape();
        return mixedBHTD.transpose(1, 2).reshape(shape[0], shape[2], shape[1] * shape[3]);
    }
}
