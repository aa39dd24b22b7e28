/* What a conversion cannot do without: read a dialect-A log, walk its lines, find the fields that matter. Keeps none. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES (1 << 19)
#define BEGINS(p, end, words) ((end) - (p) >= (int64_t)sizeof(words) - 1 && !memcmp(p, words, sizeof(words) - 1))

static const char *number(const char *p, const char *end, uint64_t *sum) {
  uint64_t value = 0;
  while (p < end && *p >= '0' && *p <= '9') value = value * 10 + (uint64_t)(*p++ - '0');
  *sum += value;
  return p;
}

static uint64_t read_line(const char *line, const char *end) {
  uint64_t sum = 0;
  const char *p = line;
  do {
    p = memchr(p, ']', (size_t)(end - p));
    if (!p) return 0;
    p++;
  } while (p >= end || *p != ' ');
  p++;
  if (BEGINS(p, end, "[Micro-task scheduled]\tJob ID: ")) {
    p = number(p + sizeof("[Micro-task scheduled]\tJob ID: ") - 1, end, &sum);
    p = memchr(p, '\t', (size_t)(end - p));
    p = p ? memchr(p + 1, '\t', (size_t)(end - p - 1)) : NULL;
    if (!p) return sum;
    p += sizeof("\tWorker ID(s): ") - 1;
    do p = number(p, end, &sum);
    while (p < end && *p++ == ',');
  } else if (BEGINS(p, end, "TELEMETRY {")) {
    while ((p = memchr(p, ':', (size_t)(end - p)))) sum += (uint64_t)*++p;
  } else if (BEGINS(p, end, "EVENT {")) {
    sum += (uint64_t)(end - p);
  }
  return sum;
}

/* A sum over the fields found, so that nothing is optimised away; 0 where the file cannot be read. */
uint64_t walk_lines(const char *path) {
  int file = open(path, O_RDONLY);
  if (file < 0) return 0;
  char *buffer = malloc(2 * BLOCK_BYTES);
  uint64_t sum = 1;
  int64_t kept = 0, n;
  while (buffer && kept <= BLOCK_BYTES && (n = read(file, buffer + kept, BLOCK_BYTES)) > 0) {
    const char *line = buffer, *stop = buffer + kept + n, *end;
    while ((end = memchr(line, '\n', (size_t)(stop - line)))) {
      sum += read_line(line, end);
      line = end + 1;
    }
    kept = stop - line;
    memmove(buffer, line, (size_t)kept);
  }
  free(buffer);
  close(file);
  return sum;
}
