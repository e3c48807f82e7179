package io.guimo.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.commerce.price.AbortPolicy;
import io.guimo.data.Catalogue;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class BusinessFileTest {
    private static final Path ROOT = Path.of(System.getProperty("guimo.root"));
    private static final Path SHOP = ROOT.resolve("examples/shop/shop.yaml");

    private static String mistakesOf(String yaml) {
        try {
            BusinessFile.parse("shop.yaml", yaml, Catalogue.standard());
        } catch (CommandFailure failure) {
            return String.valueOf(failure.getMessage());
        }
        throw new AssertionError("accepted: " + yaml);
    }

    @Test
    void read_exampleOfTheShop_accepted() throws Exception {
        Business shop = BusinessFile.read(SHOP, Catalogue.standard());
        assertThat(shop.models())
                .containsOnlyKeys("photo-labels", "goes-well-with", "search-en", "search-zh", "assistant");
        assertThat(shop.demonstration()).isNotNull();
    }

    @Test
    void read_manyMistakes_allAtOnceWithPlaceAndNearestName() throws Exception {
        String yaml = Files.readString(SHOP)
                .replace("data: photos", "data: photo")
                .replace("epochs: 16", "epoch: 10")
                .replace("task: recommend-items", "task: recommend-item")
                .replace("plan: payg", "plan: pay")
                .replace("catalog: bge-small-en", "catalog: bge-smal-en");
        assertThat(mistakesOf(yaml))
                .contains("5 mistakes in shop.yaml")
                .contains("there is no data set 'photo'; did you mean photos?")
                .contains("unknown key 'epoch'; did you mean epochs?")
                .contains("unknown value 'recommend-item'; did you mean recommend-items?")
                .contains("there is no plan 'pay'; did you mean payg?")
                .contains("there is no catalogue entry 'bge-smal-en'; did you mean bge-small-en?")
                .containsPattern("shop.yaml:\\d+:\\d+: models.photo-labels.train.epoch");
    }

    @Test
    void read_modelWithoutPrice_refused() throws Exception {
        String yaml = Files.readString(SHOP).replaceAll("(?m)^ *goes-well-with: \\{per.*\\n", "");
        assertThat(mistakesOf(yaml)).contains("models.goes-well-with: no plan prices this model");
    }

    @Test
    void read_priceOfAnotherMeterOrTooFine_refused() throws Exception {
        assertThat(mistakesOf(
                        Files.readString(SHOP).replace("{per: request, each: 0.0005}", "{per: image, each: 0.0005}")))
                .contains("a price per image (images), but recommend-items is sold by [request (requests)]");
        assertThat(mistakesOf(Files.readString(SHOP).replace("each: 0.0005", "each: 0.0000000000005")))
                .contains("plans[0].prices");
    }

    @Test
    void read_gateOnAMetricThatIsNotMeasured_refused() throws Exception {
        assertThat(mistakesOf(Files.readString(SHOP).replace("{accuracy: \">= 0.92\"", "{acuracy: \">= 0.92\"")))
                .contains("acuracy")
                .contains("did you mean accuracy?");
    }

    @Test
    void read_policyForAborts_isThePlansOrRefusedWithWhatIsPermitted() throws Exception {
        String shop = Files.readString(SHOP);
        String plan = "- name: payg\n    aborts: nothing under 20 tokens\n";
        assertThat(BusinessFile.parse("shop.yaml", shop.replace("- name: payg\n", plan), Catalogue.standard())
                        .plans()
                        .getFirst()
                        .abortPolicy())
                .isEqualTo(new AbortPolicy.NothingUnder(20));
        assertThat(mistakesOf(shop.replace("- name: payg\n", plan.replace("nothing under 20 tokens", "free"))))
                .contains("plans[0]", "write delivered, computed, or nothing under 20 tokens");
    }

    @Test
    void read_brokenYaml_saysWhere() {
        assertThat(mistakesOf("business: [unclosed\nmodels: {}\n")).contains("shop.yaml:2:");
        assertThat(mistakesOf("")).contains("the file is empty");
        assertThat(mistakesOf("business: a\nbusiness: b\n")).contains("shop.yaml:2:1");
    }

    @Test
    void read_noFile_saysWhatToDo() {
        assertThatThrownBy(() -> BusinessFile.read(ROOT.resolve("nowhere.yaml"), Catalogue.standard()))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("nowhere.yaml");
    }

    /** {@code ./guimo check --schema > docs/business.schema.json} writes it anew. */
    @Test
    void schema_checkedIn_isWhatTheRecordsSay() throws Exception {
        assertThat(Files.readString(ROOT.resolve("docs/business.schema.json")).strip())
                .isEqualTo(CheckCommand.schemaText().strip());
    }
}
