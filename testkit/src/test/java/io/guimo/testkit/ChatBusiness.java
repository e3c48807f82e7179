package io.guimo.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A business that sells a real language model and a real encoder by the token; nothing is trained. */
final class ChatBusiness {
    static final String CHAT = "chat";
    static final String ENCODER = "search";

    private ChatBusiness() {}

    static Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve("chat.yaml");
        Files.writeString(file, """
                business: Answers 答案
                currency: CNY
                zone: Asia/Shanghai
                models:
                  chat: {task: generate-text, from: {catalog: smollm2-135m-instruct}}
                  search: {task: embed-text, from: {catalog: bge-small-en}}
                plans:
                  - name: payg
                    prices:
                      chat: {per: 1M tokens, input: 50, cachedInput: 10, output: 150}
                      search: {per: 1K tokens, each: 0.02}
                costs: {machine: {perHour: 1.20}}
                demonstration: {customer: "Asker 提问者", plan: payg, credit: 500, requests: 8}
                """);
        return file;
    }
}
