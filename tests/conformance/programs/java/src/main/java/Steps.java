import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.milvus.v2.client.ConnectConfig;
import io.milvus.v2.client.MilvusClientV2;
import java.util.concurrent.Callable;

/** Reports steps, one line of JSON each. */
final class Steps {
  private static final Gson GSON = new Gson();

  private Steps() {}

  /** A client of the server whose address is the only argument. */
  static MilvusClientV2 connect(String[] args) {
    return new MilvusClientV2(ConnectConfig.builder().uri("http://" + args[0]).build());
  }

  /** Runs an action and reports what it answered, or the text of its failure. */
  static void step(String sentence, Callable<?> action) {
    JsonObject line = new JsonObject();
    line.addProperty("step", sentence);
    try {
      line.add("got", GSON.toJsonTree(action.call()));
    } catch (Exception failure) {
      line.addProperty("failed", String.valueOf(failure.getMessage()));
    }
    System.out.println(line);
  }
}
