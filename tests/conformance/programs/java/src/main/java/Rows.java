import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.milvus.v2.client.MilvusClientV2;
import io.milvus.v2.common.ConsistencyLevel;
import io.milvus.v2.common.DataType;
import io.milvus.v2.common.IndexParam;
import io.milvus.v2.service.collection.request.AddFieldReq;
import io.milvus.v2.service.collection.request.CreateCollectionReq;
import io.milvus.v2.service.collection.request.DescribeCollectionReq;
import io.milvus.v2.service.collection.request.DropCollectionReq;
import io.milvus.v2.service.collection.request.HasCollectionReq;
import io.milvus.v2.service.vector.request.DeleteReq;
import io.milvus.v2.service.vector.request.GetReq;
import io.milvus.v2.service.vector.request.InsertReq;
import io.milvus.v2.service.vector.request.QueryReq;
import io.milvus.v2.service.vector.request.SearchReq;
import io.milvus.v2.service.vector.request.UpsertReq;
import io.milvus.v2.service.vector.request.data.FloatVec;
import java.util.List;
import java.util.Map;

/** Rows from their insertion to their end. */
public final class Rows {
  private static final long ABOVE_2_53 = 9007199254740993L;
  private static final float[] ORIGIN = new float[4];

  private final MilvusClientV2 client;
  private final String name;

  private Rows(MilvusClientV2 client, String name) {
    this.client = client;
    this.name = name;
  }

  public static void main(String[] args) {
    MilvusClientV2 client = Steps.connect(args);
    new Rows(client, "harbour_" + ProcessHandle.current().pid()).run();
    client.close();
  }

  private void run() {
    Steps.step("a collection is created, indexed and loaded", this::create);
    Steps.step("it is described field by field", this::describe);
    Steps.step("rows are inserted and their keys returned", this::insert);
    Steps.step("a query returns rows by ascending key", () -> keys("tons > 0", 0, 0));
    Steps.step("a key above 2^53 is found exactly", () -> names("ship == " + ABOVE_2_53));
    Steps.step("its neighbour is not found", () -> names("ship == " + (ABOVE_2_53 - 1)));
    Steps.step("a dynamic int64 above 2^53 is compared exactly", () -> names("crew == " + ABOVE_2_53));
    Steps.step("a dynamic string is compared", () -> names("berth == \"8\""));
    Steps.step("rows are counted", () -> count(""));
    Steps.step("rows are counted under a filter", () -> count("tons >= 30"));
    Steps.step("rows are fetched by their keys", () -> get(1L, 3L, 99L));
    Steps.step("a vector comes back", () -> query("ship == 3", "place", 0, 0).get(0));
    Steps.step("a query has a limit and an offset", () -> keys("ship > 0", 2, 1));
    Steps.step("a search returns the nearest first", () -> search(3, 0, "", ORIGIN));
    Steps.step("a search has an offset", () -> search(2, 2, "", ORIGIN));
    Steps.step("a search takes a filter", () -> search(3, 0, "name like \"C%\" or tons > 35", ORIGIN));
    Steps.step("a vector of another dimension is refused", () -> search(3, 0, "", new float[2]));
    Steps.step("an upsert replaces one row and adds another", this::upsert);
    Steps.step("an upsert moves the vector too", () -> search(2, 0, "", ORIGIN));
    Steps.step("rows are deleted by key", this::deleteByKeys);
    Steps.step("rows are deleted by filter", () -> deleteByFilter("tons > 35"));
    Steps.step("what was deleted is not found", () -> search(10, 0, "", ORIGIN));
    Steps.step("a filter that can't be parsed is refused", () -> names("tons >>> 1"));
    Steps.step("an unknown collection is refused", () -> new Rows(client, "nowhere").names("ship > 0"));
    client.dropCollection(DropCollectionReq.builder().collectionName(name).build());
    Steps.step("a dropped collection is gone", this::exists);
  }

  private boolean create() {
    CreateCollectionReq.CreateCollectionReqBuilder request =
        CreateCollectionReq.builder().collectionName(name).consistencyLevel(ConsistencyLevel.STRONG);
    CreateCollectionReq.CollectionSchema schema = client.createSchema();
    schema.setEnableDynamicField(true);
    schema.addField(AddFieldReq.builder().fieldName("ship").dataType(DataType.Int64).isPrimaryKey(true).build());
    schema.addField(AddFieldReq.builder().fieldName("name").dataType(DataType.VarChar).maxLength(64).build());
    schema.addField(AddFieldReq.builder().fieldName("tons").dataType(DataType.Double).build());
    schema.addField(AddFieldReq.builder().fieldName("place").dataType(DataType.FloatVector).dimension(4).build());
    IndexParam index =
        IndexParam.builder()
            .fieldName("place")
            .indexType(IndexParam.IndexType.FLAT)
            .metricType(IndexParam.MetricType.L2)
            .build();
    client.createCollection(request.collectionSchema(schema).indexParams(List.of(index)).build());
    return exists();
  }

  private boolean exists() {
    return client.hasCollection(HasCollectionReq.builder().collectionName(name).build());
  }

  /** This client does not show the ids of fields; they count from 100 in the order of the schema. */
  private List<String> describe() {
    Map<DataType, String> wireNames =
        Map.of(
            DataType.Int64, "INT64",
            DataType.VarChar, "VARCHAR",
            DataType.Double, "DOUBLE",
            DataType.FloatVector, "FLOAT_VECTOR");
    List<CreateCollectionReq.FieldSchema> fields =
        client
            .describeCollection(DescribeCollectionReq.builder().collectionName(name).build())
            .getCollectionSchema()
            .getFieldSchemaList();
    return fields.stream()
        .map(field -> (100 + fields.indexOf(field)) + " " + field.getName() + " " + wireNames.get(field.getDataType()))
        .toList();
  }

  private static JsonObject row(long ship, String name, double tons, float x) {
    JsonArray place = new JsonArray();
    for (float value : new float[] {x, 0, 0, 0}) place.add(value);
    JsonObject row = new JsonObject();
    row.addProperty("ship", ship);
    row.addProperty("name", name);
    row.addProperty("tons", tons);
    row.add("place", place);
    return row;
  }

  private List<String> insert() {
    JsonObject ada = row(1, "Ada", 10.5, 1);
    ada.addProperty("berth", "7");
    JsonObject bea = row(2, "Bea", 20.25, 2);
    bea.addProperty("berth", "8");
    JsonObject cleo = row(3, "Cleo", 30, 3);
    cleo.addProperty("crew", ABOVE_2_53);
    List<JsonObject> rows =
        List.of(ada, bea, cleo, row(ABOVE_2_53, "Dora", 40, 4), row(Long.MIN_VALUE, "Eva", 50, 5));
    return client.insert(InsertReq.builder().collectionName(name).data(rows).build()).getPrimaryKeys().stream()
        .map(String::valueOf)
        .toList();
  }

  private List<Object> query(String filter, String field, int limit, int offset) {
    QueryReq.QueryReqBuilder request =
        QueryReq.builder().collectionName(name).filter(filter).outputFields(List.of(field));
    if (limit > 0) request.limit(limit).offset(offset);
    return client.query(request.build()).getQueryResults().stream()
        .map(result -> result.getEntity().get(field))
        .toList();
  }

  private List<String> keys(String filter, int limit, int offset) {
    return query(filter, "ship", limit, offset).stream().map(String::valueOf).toList();
  }

  private List<Object> names(String filter) {
    return query(filter, "name", 0, 0);
  }

  private Object count(String filter) {
    return query(filter, "count(*)", 0, 0).get(0);
  }

  private List<Object> get(Object... keys) {
    GetReq request =
        GetReq.builder().collectionName(name).ids(List.of(keys)).outputFields(List.of("name")).build();
    return client.get(request).getGetResults().stream()
        .map(result -> result.getEntity().get("name"))
        .sorted()
        .toList();
  }

  private List<String> search(int limit, int offset, String filter, float[] vector) {
    SearchReq request =
        SearchReq.builder()
            .collectionName(name)
            .data(List.of(new FloatVec(vector)))
            .limit(limit)
            .offset(offset)
            .filter(filter)
            .outputFields(List.of("name"))
            .build();
    return client.search(request).getSearchResults().get(0).stream()
        .map(hit -> hit.getEntity().get("name") + " " + shortest(hit.getScore()))
        .toList();
  }

  private static String shortest(float score) {
    return score == Math.rint(score) ? String.valueOf((long) score) : String.valueOf(score);
  }

  private List<Object> upsert() {
    List<JsonObject> rows = List.of(row(2, "Bettina", 21, 2.5f), row(6, "Fay", 60, 6));
    client.upsert(UpsertReq.builder().collectionName(name).data(rows).build());
    return names("ship == 2 or ship == 6");
  }

  private Object deleteByKeys() {
    client.delete(DeleteReq.builder().collectionName(name).ids(List.of(1L, Long.MIN_VALUE)).build());
    return count("");
  }

  private Object deleteByFilter(String filter) {
    client.delete(DeleteReq.builder().collectionName(name).filter(filter).build());
    return count("");
  }
}
