import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.milvus.v2.client.MilvusClientV2;
import io.milvus.v2.common.ConsistencyLevel;
import io.milvus.v2.common.DataType;
import io.milvus.v2.common.IndexParam;
import io.milvus.v2.service.collection.request.AddFieldReq;
import io.milvus.v2.service.collection.request.CreateCollectionReq;
import io.milvus.v2.service.collection.request.DropCollectionReq;
import io.milvus.v2.service.collection.request.GetLoadStateReq;
import io.milvus.v2.service.collection.request.LoadCollectionReq;
import io.milvus.v2.service.collection.request.ReleaseCollectionReq;
import io.milvus.v2.service.index.request.CreateIndexReq;
import io.milvus.v2.service.partition.request.CreatePartitionReq;
import io.milvus.v2.service.partition.request.DropPartitionReq;
import io.milvus.v2.service.partition.request.GetPartitionStatsReq;
import io.milvus.v2.service.partition.request.HasPartitionReq;
import io.milvus.v2.service.partition.request.ListPartitionsReq;
import io.milvus.v2.service.partition.request.LoadPartitionsReq;
import io.milvus.v2.service.partition.request.ReleasePartitionsReq;
import io.milvus.v2.service.utility.request.FlushReq;
import io.milvus.v2.service.vector.request.DeleteReq;
import io.milvus.v2.service.vector.request.InsertReq;
import io.milvus.v2.service.vector.request.QueryReq;
import io.milvus.v2.service.vector.request.SearchReq;
import io.milvus.v2.service.vector.request.UpsertReq;
import io.milvus.v2.service.vector.request.data.FloatVec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Partitions from their creation to their end. */
public final class PartitionGuide {
  private record Tree(long key, String kind) {
    JsonObject row() {
      JsonArray leaf = new JsonArray();
      leaf.add((float) key);
      leaf.add(0f);
      JsonObject row = new JsonObject();
      row.addProperty("tree", key);
      row.addProperty("kind", kind);
      row.add("leaf", leaf);
      row.addProperty("age", key * 10);
      return row;
    }
  }

  private static final String ALL = "tree > 0";

  private final MilvusClientV2 client;
  private final String name = "orchard_" + ProcessHandle.current().pid();

  private PartitionGuide(MilvusClientV2 client) {
    this.client = client;
  }

  public static void main(String[] args) {
    MilvusClientV2 client = Steps.connect(args);
    new PartitionGuide(client).run();
    client.close();
  }

  private void run() {
    createOrchard();
    Steps.step("a new collection has the default partition", this::partitions);
    Steps.step("a partition is created", () -> createPartition("north"));
    Steps.step("another partition is created", () -> createPartition("south"));
    Steps.step("creating a partition again changes nothing", () -> createPartition("south"));
    Steps.step("a partition that exists is found", () -> hasPartition("north"));
    Steps.step("a partition that does not exist is not found", () -> hasPartition("east"));
    Steps.step("nothing is loaded at first", () -> states("_default", "north", "south"));
    Steps.step(
        "rows go into a named partition",
        () -> plant("north", new Tree(1, "apple"), new Tree(2, "pear"), new Tree(3, "plum")));
    Steps.step(
        "rows go into another partition",
        () -> plant("south", new Tree(4, "apple"), new Tree(5, "fig"), new Tree(6, "pear")));
    Steps.step(
        "rows without a partition go into the default one",
        () -> plant("", new Tree(7, "apple"), new Tree(8, "cherry")));
    Steps.step("rows can't go into an unknown partition", () -> plant("east", new Tree(9, "apple")));
    Steps.step("a partition counts its rows", () -> rowCount("south"));
    Steps.step("a query of a released collection is refused", () -> trees(ALL));
    Steps.step("one partition is loaded", () -> loadPartitions("north"));
    Steps.step("a query finds the rows of the loaded partition", () -> trees(ALL));
    Steps.step("a query of a released partition is refused", () -> trees(ALL, "south"));
    Steps.step("a loaded partition can't be dropped", () -> dropPartition("north"));
    Steps.step("several partitions are loaded in one call", () -> loadPartitions("north", "south"));
    Steps.step("a query finds the rows of both", () -> trees(ALL));
    Steps.step("a query can be kept to one partition", () -> trees(ALL, "south"));
    Steps.step("a filter and a partition work together", () -> trees("kind == \"pear\"", "south"));
    Steps.step("a search can be kept to one partition", () -> nearest("", "south"));
    Steps.step("a search can be kept to several partitions", () -> nearest("", "south", "north"));
    Steps.step("a search in a partition takes a filter", () -> nearest("kind != \"pear\"", "north"));
    Steps.step("a query of an unknown partition is refused", () -> trees(ALL, "east"));
    Steps.step("a search of an unknown partition is refused", () -> nearest("", "east"));
    Steps.step("a delete in the wrong partition deletes nothing", () -> delete("tree == 5", "north"));
    Steps.step("a delete in its partition deletes", () -> delete("tree == 5", "south"));
    Steps.step("an upsert in a partition replaces the row", () -> replace("south", new Tree(6, "peach")));
    Steps.step("one partition is released", () -> releasePartitions("south"));
    Steps.step("several partitions are released in one call", () -> releasePartitions("north", "south"));
    Steps.step("the whole collection is loaded", this::loadAll);
    Steps.step("a query finds the rows of all partitions", () -> trees(ALL));
    Steps.step("a partition made after the load can be read", this::newPartitionOfLoadedCollection);
    Steps.step("the whole collection is released", this::releaseAll);
    Steps.step("loading an unknown partition is refused", () -> loadPartitions("east"));
    Steps.step("some fields of a partition are loaded", () -> loadFields(true, "tree", "leaf"));
    Steps.step("a loaded field is returned", () -> queryField("tree < 3", "tree"));
    Steps.step("a field that was left out is not returned", () -> queryField("tree < 3", "kind"));
    Steps.step("a field that was left out is no filter", () -> trees("kind == \"apple\""));
    Steps.step("the dynamic field that was left out is no filter", () -> trees("age == 10"));
    Steps.step("a load with other fields is refused", () -> loadFields(false, "tree", "leaf", "kind"));
    Steps.step("the partition is released again", () -> releasePartitions("north"));
    Steps.step("the primary key can't be left out of a load", () -> loadFields(false, "kind", "leaf"));
    Steps.step("a released partition is dropped", () -> dropPartition("south"));
    Steps.step("dropping an unknown partition changes nothing", () -> dropPartition("south"));
    Steps.step("the default partition can't be dropped", () -> dropPartition("_default"));
    Steps.step(
        "the rows of a dropped partition are gone",
        () -> {
          client.loadCollection(LoadCollectionReq.builder().collectionName(name).build());
          return trees(ALL);
        });
    client.dropCollection(DropCollectionReq.builder().collectionName(name).build());
  }

  private void createOrchard() {
    CreateCollectionReq.CollectionSchema schema = client.createSchema();
    schema.setEnableDynamicField(true);
    schema.addField(AddFieldReq.builder().fieldName("tree").dataType(DataType.Int64).isPrimaryKey(true).build());
    schema.addField(AddFieldReq.builder().fieldName("kind").dataType(DataType.VarChar).maxLength(32).build());
    schema.addField(AddFieldReq.builder().fieldName("leaf").dataType(DataType.FloatVector).dimension(2).build());
    client.createCollection(
        CreateCollectionReq.builder()
            .collectionName(name)
            .collectionSchema(schema)
            .consistencyLevel(ConsistencyLevel.STRONG)
            .build());
    IndexParam index =
        IndexParam.builder()
            .fieldName("leaf")
            .indexType(IndexParam.IndexType.FLAT)
            .metricType(IndexParam.MetricType.L2)
            .build();
    client.createIndex(CreateIndexReq.builder().collectionName(name).indexParams(List.of(index)).build());
  }

  private List<String> partitions() {
    return client.listPartitions(ListPartitionsReq.builder().collectionName(name).build());
  }

  private List<String> createPartition(String partition) {
    client.createPartition(CreatePartitionReq.builder().collectionName(name).partitionName(partition).build());
    return partitions();
  }

  private List<String> dropPartition(String partition) {
    client.dropPartition(DropPartitionReq.builder().collectionName(name).partitionName(partition).build());
    return partitions();
  }

  private boolean hasPartition(String partition) {
    return client.hasPartition(HasPartitionReq.builder().collectionName(name).partitionName(partition).build());
  }

  private Map<String, String> states(String... partitions) {
    Map<String, String> found = new LinkedHashMap<>();
    found.put("orchard", state(GetLoadStateReq.builder().collectionName(name).build()));
    for (String partition : partitions) {
      found.put(partition, state(GetLoadStateReq.builder().collectionName(name).partitionName(partition).build()));
    }
    return found;
  }

  private String state(GetLoadStateReq request) {
    return client.getLoadStateV2(request).getState().name().replace("LoadState", "");
  }

  private Map<String, String> loadPartitions(String... partitions) {
    client.loadPartitions(
        LoadPartitionsReq.builder().collectionName(name).partitionNames(List.of(partitions)).build());
    return states("north", "south");
  }

  private Map<String, String> loadFields(boolean skipDynamicField, String... fields) {
    client.loadPartitions(
        LoadPartitionsReq.builder()
            .collectionName(name)
            .partitionNames(List.of("north"))
            .loadFields(List.of(fields))
            .skipLoadDynamicField(skipDynamicField)
            .build());
    return states("north", "south");
  }

  private Map<String, String> releasePartitions(String... partitions) {
    client.releasePartitions(
        ReleasePartitionsReq.builder().collectionName(name).partitionNames(List.of(partitions)).build());
    return states("north", "south");
  }

  private Map<String, String> loadAll() {
    client.loadCollection(LoadCollectionReq.builder().collectionName(name).build());
    return states("_default", "north", "south");
  }

  private Map<String, String> releaseAll() {
    client.releaseCollection(ReleaseCollectionReq.builder().collectionName(name).build());
    return states("_default", "north", "south");
  }

  private long plant(String partition, Tree... trees) {
    List<JsonObject> rows = Stream.of(trees).map(Tree::row).toList();
    return client
        .insert(InsertReq.builder().collectionName(name).partitionName(partition).data(rows).build())
        .getInsertCnt();
  }

  private Object replace(String partition, Tree tree) {
    List<JsonObject> rows = List.of(tree.row());
    client.upsert(UpsertReq.builder().collectionName(name).partitionName(partition).data(rows).build());
    return queryField("tree == " + tree.key(), "kind").get(0).get("kind");
  }

  private List<Long> delete(String filter, String partition) {
    client.delete(DeleteReq.builder().collectionName(name).filter(filter).partitionName(partition).build());
    return trees(ALL);
  }

  private List<Long> trees(String filter, String... partitions) {
    QueryReq request =
        QueryReq.builder()
            .collectionName(name)
            .filter(filter)
            .partitionNames(List.of(partitions))
            .outputFields(List.of("tree"))
            .build();
    return client.query(request).getQueryResults().stream()
        .map(result -> (Long) result.getEntity().get("tree"))
        .sorted()
        .toList();
  }

  private List<Object> nearest(String filter, String... partitions) {
    SearchReq request =
        SearchReq.builder()
            .collectionName(name)
            .data(List.of(new FloatVec(new float[2])))
            .limit(10)
            .filter(filter)
            .partitionNames(List.of(partitions))
            .build();
    return client.search(request).getSearchResults().get(0).stream().map(hit -> hit.getId()).toList();
  }

  private List<Map<String, Object>> queryField(String filter, String field) {
    QueryReq request =
        QueryReq.builder().collectionName(name).filter(filter).outputFields(List.of(field)).build();
    return client.query(request).getQueryResults().stream()
        .map(result -> Map.of(field, result.getEntity().get(field)))
        .toList();
  }

  private long rowCount(String partition) {
    client.flush(FlushReq.builder().collectionNames(List.of(name)).build());
    return client
        .getPartitionStats(
            GetPartitionStatsReq.builder().collectionName(name).partitionName(partition).build())
        .getNumOfEntities();
  }

  private List<Long> newPartitionOfLoadedCollection() {
    createPartition("west");
    plant("west", new Tree(20, "quince"));
    return trees(ALL, "west");
  }
}
