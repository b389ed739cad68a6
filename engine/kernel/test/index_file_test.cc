// Index files: what is written is read, and no damage, by chance or by ill will, is more than a refusal.
#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "../src/cc/index/crc32.h"
#include "../src/cc/index/index_file.h"
#include "../src/cc/index/index_file_format.h"
#include "check.h"
#include "temporary_directory.h"

namespace {

using namespace elanus;
using namespace elanus::index_file_format;

using Bytes = std::vector<uint8_t>;
using Random = std::mt19937_64;

IndexFileHead some_head() {
  IndexFileHead head{IndexKind::kCodedGraph, {}};
  for (size_t i = 0; i < head.digest.size(); ++i) head.digest[i] = static_cast<uint8_t>(i * 7);
  return head;
}

Bytes some_bytes(size_t size) {
  Bytes bytes(size);
  Random random(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

const size_t kSizes[] = {0, 1, 4031, 4032, 4033, 4096, 10'000};

void write_example(const std::string& path) {
  IndexFileWriter writer(path);
  for (const size_t size : kSizes) {
    const Bytes bytes = some_bytes(size);
    writer.begin("of " + std::to_string(size));
    writer.append(bytes.data(), size / 3);
    writer.append(bytes.data() + size / 3, size - size / 3);
  }
  CHECK(!writer.finish(some_head()).failed());
}

// Touches everything that an open file lends out.
uint32_t sum_of_all(const IndexFile& file) {
  uint32_t sum = 0;
  for (const IndexFile::Section& section : file.sections())
    sum = crc32(sum, section.bytes, section.size + kSectionSlack);
  return sum;
}

ElanusStatus open_and_verify(const std::string& path) {
  std::shared_ptr<const IndexFile> file;
  FileFault fault = IndexFile::open(path, &file);
  CHECK(fault.failed() == (file == nullptr));
  if (!fault.failed()) {
    sum_of_all(*file);
    fault = file->verify(nullptr);
  }
  CHECK(fault.failed() == !fault.text.empty());
  return fault.status;
}

void the_checksum_is_that_of_zlib() {
  CHECK(crc32(0, "123456789", 9) == 0xcbf43926);
  CHECK(crc32(0, "", 0) == 0);
  const Bytes bytes = some_bytes(2000);
  Random random(1);
  for (size_t size = 0; size < 1000; ++size) {
    const size_t from = random() % 1000;
    const uint32_t before = static_cast<uint32_t>(random());
    const uint32_t sum = crc32(before, bytes.data() + from, size);
    CHECK(sum == crc32_portable(before, bytes.data() + from, size));
    const size_t cut = size == 0 ? 0 : random() % size;
    CHECK(sum == crc32(crc32(before, bytes.data() + from, cut), bytes.data() + from + cut, size - cut));
  }
}

void what_is_written_is_read() {
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  write_example(path);
  std::shared_ptr<const IndexFile> file;
  CHECK(!IndexFile::open(path, &file).failed());
  CHECK(file->head().kind == IndexKind::kCodedGraph && file->head().digest == some_head().digest);
  CHECK(file->sections().size() == std::size(kSizes));
  for (const size_t size : kSizes) {
    const auto* const bytes = file->array<uint8_t>("of " + std::to_string(size), size);
    CHECK(bytes != nullptr && reinterpret_cast<uintptr_t>(bytes) % kSectionAlignment == 0);
    const Bytes expected = some_bytes(size);
    CHECK(std::equal(expected.begin(), expected.end(), bytes));
    for (size_t i = 0; i < kSectionSlack; ++i) CHECK(bytes[size + i] == 0);
  }
  CHECK(file->section("of 2") == nullptr);
  CHECK(file->array<uint8_t>("of 4096", 4095) == nullptr && file->array<uint64_t>("of 4096", 512) != nullptr);
  CHECK(file->array<uint64_t>("of 4033", 504) == nullptr);
  CHECK(file->array<uint64_t>("of 4096", 512 + (size_t{1} << 61)) == nullptr);
  CHECK(!file->verify(nullptr).failed());
  const std::atomic<bool> cancelled = true;
  CHECK(file->verify(&cancelled).status == ELANUS_CANCELLED);
}

// Pieces of a file, of a huge page each, are written as they fill: wherever what is appended begins and ends.
void sections_longer_than_a_piece_are_read(uint64_t seed) {
  constexpr size_t kPieceBytes = size_t{2} << 20;
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  Random random(seed);
  const size_t sizes[] = {kPieceBytes - kFirstPageBytes, 3 * kPieceBytes + 1, kPieceBytes, 7 * kPieceBytes / 2, 5};
  IndexFileWriter writer(path);
  for (size_t i = 0; i < std::size(sizes); ++i) {
    const Bytes bytes = some_bytes(sizes[i]);
    writer.begin("section " + std::to_string(i));
    for (size_t at = 0; at < bytes.size();) {
      const size_t part = std::min<size_t>(bytes.size() - at, random() % (2 * kPieceBytes));
      writer.append(bytes.data() + at, part);
      at += part;
    }
  }
  CHECK(!writer.finish(some_head()).failed());
  std::shared_ptr<const IndexFile> file;
  CHECK(!IndexFile::open(path, &file).failed());
  for (size_t i = 0; i < std::size(sizes); ++i) {
    const auto* const bytes = file->array<uint8_t>("section " + std::to_string(i), sizes[i]);
    const Bytes expected = some_bytes(sizes[i]);
    CHECK(bytes != nullptr && std::equal(expected.begin(), expected.end(), bytes));
  }
  CHECK(!file->verify(nullptr).failed());
}

void a_mapped_file_outlives_its_replacement() {
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  write_example(path);
  std::shared_ptr<const IndexFile> old;
  CHECK(!IndexFile::open(path, &old).failed());
  {
    IndexFileWriter writer(path);
    const uint32_t numbers[] = {1, 2, 3};
    writer.add("numbers", numbers, 3);
    CHECK(!old->verify(nullptr).failed());
    CHECK(!writer.finish(some_head()).failed());
  }
  CHECK(!old->verify(nullptr).failed());
  std::shared_ptr<const IndexFile> fresh;
  CHECK(!IndexFile::open(path, &fresh).failed());
  CHECK(fresh->array<uint32_t>("numbers", 3)[2] == 3);
}

void an_unfinished_file_is_not_seen() {
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  write_example(path);
  const Bytes before = read_file(path);
  {
    IndexFileWriter writer(path);
    writer.begin("half");
    writer.append(before.data(), before.size());
  }
  CHECK(read_file(path) == before);
}

void errors_of_the_disk_are_told() {
  IndexFileWriter nowhere("/nowhere/at/all");
  nowhere.begin("a");
  nowhere.append("bytes", 5);
  const FileFault fault = nowhere.finish(some_head());
  CHECK(fault.status == ELANUS_IO_FAILED && fault.text.find("/nowhere/at/all") != std::string::npos);
  std::shared_ptr<const IndexFile> file;
  CHECK(IndexFile::open("/nowhere/at/all", &file).status == ELANUS_IO_FAILED);
  CHECK(IndexFile::open("/dev/zero", &file).status == ELANUS_FILE_DAMAGED);
  CHECK(IndexFile::open("/", &file).status != ELANUS_OK);
}

// Every bit of the first page and of the sections counts; only the padding between them does not.
void flipped_bits_are_found(uint64_t seed, int rounds) {
  Random random(seed);
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  write_example(path);
  const Bytes sound = read_file(path);
  std::shared_ptr<const IndexFile> file;
  CHECK(!IndexFile::open(path, &file).failed());
  std::vector<bool> counts(sound.size());
  std::fill_n(counts.begin(), kFirstPageBytes, true);
  for (const IndexFile::Section& section : file->sections()) {
    const auto offset = static_cast<ptrdiff_t>(get<uint64_t>(
        sound.data() + kEntriesAt + static_cast<size_t>(&section - file->sections().data()) * kEntryBytes + kEntryOffsetAt));
    std::fill_n(counts.begin() + offset, section.size, true);
  }
  file.reset();
  const int fd = ::open(path.c_str(), O_RDWR);
  CHECK(fd >= 0);
  for (int round = 0; round < rounds; ++round) {
    // Half of them in the first page.
    const size_t at = random() % (round % 2 == 0 ? kFirstPageBytes : sound.size());
    const uint8_t flipped = static_cast<uint8_t>(sound[at] ^ 1u << random() % 8);
    CHECK(::pwrite(fd, &flipped, 1, static_cast<off_t>(at)) == 1);
    CHECK(open_and_verify(path) == (counts[at] ? ELANUS_FILE_DAMAGED : ELANUS_OK));
    CHECK(::pwrite(fd, &sound[at], 1, static_cast<off_t>(at)) == 1);
  }
  ::close(fd);
}

void other_lengths_are_found(uint64_t seed, int rounds) {
  Random random(seed);
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  write_example(path);
  const Bytes sound = read_file(path);
  for (int round = 0; round < rounds; ++round) {
    Bytes bytes = sound;
    bytes.resize(round % 4 == 0 ? sound.size() + 1 + random() % 9000 : random() % sound.size());
    write_file(path, bytes);
    CHECK(open_and_verify(path) == ELANUS_FILE_DAMAGED);
  }
}

// First pages that add up and lie: the reader must refuse them or stay within the file.
void hostile_tables_lead_nowhere(uint64_t seed, int rounds) {
  Random random(seed);
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  write_example(path);
  const Bytes sound = read_file(path);
  const uint64_t edges[] = {0,           1,           63,           64,          4095,          4096,
                            8192,        sound.size(), ~uint64_t{0}, ~uint64_t{4095}, uint64_t{1} << 63, uint64_t{1} << 32,
                            sound.size() - 64, sound.size() - 4096, ~uint64_t{63}};
  const auto some_number = [&] {
    const uint64_t edge = edges[random() % std::size(edges)];
    switch (random() % 4) {
      case 0:
        return edge;
      case 1:
        return edge + random() % 3 - 1;
      case 2:
        return ~edge;
      default:
        return random() % sound.size() / 4096 * 4096;
    }
  };
  size_t opened = 0;
  for (int round = 0; round < rounds; ++round) {
    Bytes bytes = sound;
    for (uint64_t changes = 1 + random() % 3; changes > 0; --changes) {
      uint8_t* const entry = bytes.data() + kEntriesAt + random() % kSectionsMax * kEntryBytes;
      uint8_t* const used = bytes.data() + kEntriesAt + random() % std::size(kSizes) * kEntryBytes;
      switch (random() % 8) {
        case 0:
          put<uint32_t>(bytes.data() + kSectionCountAt, static_cast<uint32_t>(some_number()));
          break;
        case 1:
          put<uint64_t>(bytes.data() + kFileBytesAt, some_number());
          break;
        case 2:
          put<uint32_t>(bytes.data() + kVersionAt, static_cast<uint32_t>(some_number()));
          break;
        case 3:
          for (size_t i = 0; i < kEntryBytes; ++i) entry[i] = static_cast<uint8_t>(random());
          break;
        case 4:
          std::memcpy(used, bytes.data() + kEntriesAt, kSectionNameMax);
          break;
        case 5:
          put<uint64_t>(used + kEntrySizeAt, some_number());
          break;
        default:
          put<uint64_t>(used + kEntryOffsetAt, some_number());
      }
    }
    put<uint32_t>(bytes.data() + kChecksumAt, 0);
    put<uint32_t>(bytes.data() + kChecksumAt, crc32(0, bytes.data(), kFirstPageBytes));
    write_file(path, bytes);
    const ElanusStatus status = open_and_verify(path);
    CHECK(status == ELANUS_OK || status == ELANUS_FILE_DAMAGED || status == ELANUS_FILE_TOO_NEW);
    opened += status == ELANUS_OK;
  }
  CHECK(opened > 0 && opened < static_cast<size_t>(rounds));
}

}  // namespace

int main(int count, char** arguments) {
  const uint64_t seed = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 20'261'121;
  std::printf("index files, seed %llu: ", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  the_checksum_is_that_of_zlib();
  what_is_written_is_read();
  sections_longer_than_a_piece_are_read(seed);
  a_mapped_file_outlives_its_replacement();
  an_unfinished_file_is_not_seen();
  errors_of_the_disk_are_told();
  flipped_bits_are_found(seed, 5'000);
  other_lengths_are_found(seed, 1'000);
  hostile_tables_lead_nowhere(seed, 4'000);
  std::printf("ok\n");
}
