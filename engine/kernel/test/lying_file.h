// Index files whose sections add up and lie.
#pragma once

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "../src/cc/index/index_file.h"
#include "check.h"

using Sections = std::vector<std::pair<std::string, std::vector<uint8_t>>>;

inline Sections sections_of(const std::string& path) {
  std::shared_ptr<const elanus::IndexFile> file;
  CHECK(!elanus::IndexFile::open(path, &file).failed());
  Sections sections;
  for (const elanus::IndexFile::Section& section : file->sections())
    sections.push_back({section.name, {section.bytes, section.bytes + section.size}});
  return sections;
}

// Cuts one section, lengthens it, puts another in its place, or changes some of its numbers; `rows` are those of the index.
inline void tell_lies(std::mt19937& random, uint32_t rows, Sections* of) {
  Sections& sections = *of;
  std::vector<uint8_t>& bytes = sections[random() % sections.size()].second;
  const uint32_t numbers[] = {0, 1, 2, 12, rows - 1, rows, rows + 1, 0x7fffffff, 0x80000000, ~0u, static_cast<uint32_t>(random())};
  switch (random() % 8) {
    case 0:
      bytes.resize(random() % (bytes.size() + 1));
      break;
    case 1:
      bytes.resize(bytes.size() + random() % 5000);
      break;
    case 2:
      std::swap(bytes, sections[random() % sections.size()].second);
      break;
    default:
      // Most lies are told where the numbers stand that say how many there are of something.
      for (size_t changes = 1 + random() % 3; changes > 0 && bytes.size() >= 4; --changes) {
        const size_t end = random() % 2 == 0 ? bytes.size() / 4 : std::min<size_t>(bytes.size() / 4, 6);
        std::memcpy(bytes.data() + random() % end * 4, &numbers[random() % std::size(numbers)], 4);
      }
  }
}

inline void write_sections(const std::string& path, elanus::IndexKind kind, const Sections& sections) {
  elanus::IndexFileWriter writer(path);
  for (const auto& [name, content] : sections) writer.add(name, content.data(), content.size());
  CHECK(!writer.finish({kind, {}}).failed());
}
