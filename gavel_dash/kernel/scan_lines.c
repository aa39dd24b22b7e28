/* Find the lines that matter in a dialect-A log.
 *
 * This decides nothing. A line that is not exactly of the common form is handed back untouched, and the Python
 * parser that works without this kernel takes it: its result is the definition, the kernel's is the same sooner.
 *
 * `Scan` mirrors the class of that name in bindings.py, field by field; every field is 8 bytes wide.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  /* text: complete lines; `position` is the start of the one to read next */
  const char *text;
  int64_t length, position;
  /* lines consumed; the last one, if it is handed over: where it begins or, of an EVENT, its JSON, and where it ends;
   * finished rounds since the arrays were emptied, and the number of the last one ever */
  int64_t lines, handed_start, handed_end, n_rounds, last_round;
  /* job id -> position in the job table or -1; worker id -> whether its GPU type is known */
  const int32_t *position_of;
  int64_t n_ids;
  const uint8_t *known_worker;
  int64_t n_known_workers;
  /* keys of a TELEMETRY object with all that stands before their values, where each ends, and the column it fills:
   * from 0 to n_columns - 1, or -1 for none; `integers` says which columns hold integers */
  const char *keys;
  const int32_t *key_ends;
  const int32_t *key_columns;
  int64_t n_keys, n_columns;
  const uint8_t *integers;
  /* one entry per placed job; its workers one after the other */
  int32_t *jobs, *sizes;
  int64_t n_jobs, max_jobs;
  int32_t *workers;
  int64_t n_workers, max_workers;
  /* one entry per finished round; `first_job` and `pairs` belong to the one that is not finished */
  double *columns;
  int32_t *placed, *round_pairs;
  int64_t max_rounds, first_job, pairs;
  char *telemetry;
  int64_t n_telemetry, max_telemetry;
} Scan;

enum { END_OF_TEXT = 0, HAND_OVER = 1, FULL = 2, HAND_OVER_EVENT = 3 };

static const double POWERS_OF_TEN[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static const uint64_t INTEGER_POWERS[] = {1ull, 10ull, 100ull, 1000ull, 10000ull, 100000ull, 1000000ull, 10000000ull,
                                          100000000ull, 1000000000ull, 10000000000ull, 100000000000ull,
                                          1000000000000ull, 10000000000000ull, 100000000000000ull,
                                          1000000000000000ull, 10000000000000000ull, 100000000000000000ull,
                                          1000000000000000000ull};

static inline int is_digit(char c) { return (unsigned char)(c - '0') < 10; }

/* mantissa / 10^k, k <= 18, rounded to the nearest double (ties to even): 128-bit division keeps every bit. */
static double divided(uint64_t mantissa, int k) {
  if (mantissa < (1ull << 53)) return (double)mantissa / POWERS_OF_TEN[k]; /* both exact: one rounding */
  unsigned __int128 numerator = (unsigned __int128)mantissa << 63; /* quotient: more than 2^(53 + 63 - 60) */
  uint64_t divisor = INTEGER_POWERS[k];
  unsigned __int128 quotient = numerator / divisor;
  int sticky = numerator % divisor != 0, shift = 0;
  while (quotient >> (54 + shift)) shift++;
  unsigned __int128 cut = quotient & (((unsigned __int128)1 << shift) - 1);
  uint64_t bits = (uint64_t)(quotient >> shift); /* 54 bits: 53 and the one that decides */
  sticky |= cut != 0;
  uint64_t rounded = (bits >> 1) + ((bits & 1) && (sticky || (bits >> 1 & 1)));
  return ldexp((double)rounded, shift + 1 - 63);
}

/* A JSON number at `p`, which ends before `end`. Returns what follows it, or NULL where it is no plain number. */
static const char *read_number(const char *p, const char *end, double *value, int *is_integer) {
  const char *start = p;
  int negative = p < end && *p == '-';
  p += negative;
  if (p >= end || !is_digit(*p)) return NULL;
  if (*p == '0' && p + 1 < end && is_digit(p[1])) return NULL;
  uint64_t mantissa = 0;
  int digits = 0, decimals = 0; /* digits: those from the first that is not zero */
  for (; p < end && is_digit(*p); p++) mantissa = mantissa * 10 + (uint64_t)(*p - '0'), digits += digits || *p != '0';
  *is_integer = 1;
  if (p < end && *p == '.') {
    *is_integer = 0;
    const char *point = p++;
    for (; p < end && is_digit(*p); p++) mantissa = mantissa * 10 + (uint64_t)(*p - '0'), digits += digits || *p != '0';
    decimals = (int)(p - point - 1);
    if (!decimals) return NULL;
  }
  int exponent = p < end && (*p == 'e' || *p == 'E');
  if (exponent) {
    *is_integer = 0;
    p++;
    p += p < end && (*p == '+' || *p == '-');
    if (p >= end || !is_digit(*p)) return NULL;
    while (p < end && is_digit(*p)) p++;
  }
  if (!exponent && digits <= 19 && decimals <= 18) {
    double magnitude = decimals ? divided(mantissa, decimals) : (double)mantissa;
    *value = mantissa == 0 ? 0.0 : negative ? -magnitude : magnitude;
    return p;
  }
  *value = strtod(start, NULL); /* the text ends with a newline, so this stops in time */
  if (!isfinite(*value)) return NULL;
  if (*value == 0) *value = 0.0;
  return p;
}

/* A TELEMETRY object in [p, end) whose keys are those of the first one, in that order. */
static int read_telemetry(const Scan *s, const char *p, const char *end, double *columns) {
  int32_t key_start = 0;
  for (int64_t i = 0; i < s->n_columns; i++) columns[i] = 0.0;
  for (int64_t i = 0; i < s->n_keys; i++) {
    int32_t width = s->key_ends[i] - key_start, column = s->key_columns[i];
    if (end - p <= width || memcmp(p, s->keys + key_start, (size_t)width)) return 0;
    key_start = s->key_ends[i];
    p += width;
    double value = 0.0;
    int is_integer = 0;
    if (*p == 'n') {
      if (end - p < 4 || memcmp(p, "null", 4) || (column >= 0 && s->integers[column])) return 0;
      p += 4;
    } else {
      p = read_number(p, end, &value, &is_integer);
      if (!p) return 0;
      /* beyond 2^53 the columns could not hold it */
      if (column >= 0 && s->integers[column] && (!is_integer || fabs(value) >= 9007199254740992.0)) return 0;
    }
    if (column >= 0) columns[column] = value;
  }
  return s->n_keys && p + 1 == end && *p == '}';
}

/* Unsigned digits at `p`; NULL where there are none or more than nine. */
static inline const char *read_id(const char *p, const char *end, int64_t *id) {
  const char *start = p;
  int64_t value = 0;
  for (; p < end && is_digit(*p); p++) value = value * 10 + (*p - '0');
  *id = value;
  return p == start || p - start > 9 ? NULL : p;
}

static const char SCHEDULED[] = "[Micro-task scheduled]\tJob ID: ";
static const char WORKER_TYPE[] = "\tWorker type: ";
static const char WORKERS[] = "\tWorker ID(s): ";
static const char TELEMETRY[] = "TELEMETRY ";
static const char EVENT[] = "EVENT ";
static const char SCHEDULE_ROUND[] = "EVENT {\"event\": \"schedule_round\"";
static const char ALLOCATION[] = "ALLOCATION ";
#define BEGINS(p, end, words) ((end) - (p) >= (int64_t)sizeof(words) - 1 && !memcmp(p, words, sizeof(words) - 1))

/* What follows SCHEDULED: one job or a pair, the type, the workers. */
static int read_scheduled(Scan *s, const char *p, const char *end) {
  int64_t ids[2], n_tenants = 1;
  int is_pair = p < end && *p == '(';
  if (!(p = read_id(p + is_pair, end, &ids[0]))) return HAND_OVER;
  if (is_pair) {
    if (end - p < 2 || p[0] != ',' || p[1] != ' ') return HAND_OVER;
    if (!(p = read_id(p + 2, end, &ids[1])) || p >= end || *p++ != ')') return HAND_OVER;
    n_tenants = 2;
  }
  if (!BEGINS(p, end, WORKER_TYPE)) return HAND_OVER;
  p += sizeof(WORKER_TYPE) - 1;
  while (p < end && *p != '\t') p++;
  if (!BEGINS(p, end, WORKERS)) return HAND_OVER;
  p += sizeof(WORKERS) - 1;

  if (s->n_jobs + 2 > s->max_jobs) return FULL;
  int64_t n = 0, room = s->max_workers - s->n_workers;
  int32_t *workers = s->workers + s->n_workers;
  for (;; p++) {
    int64_t worker;
    if (!(p = read_id(p, end, &worker))) return HAND_OVER;
    if (worker >= s->n_known_workers || !s->known_worker[worker]) return HAND_OVER;
    if (n >= room) return FULL;
    workers[n++] = (int32_t)worker;
    if (p >= end || *p == '\t') break;
    if (*p != ',') return HAND_OVER;
  }
  if (n * n_tenants > room) return FULL;
  for (int64_t i = 0; i < n_tenants; i++)
    if (ids[i] >= s->n_ids || s->position_of[ids[i]] < 0) return HAND_OVER;
  for (int64_t i = 0; i < n_tenants; i++) {
    s->jobs[s->n_jobs] = s->position_of[ids[i]];
    s->sizes[s->n_jobs++] = (int32_t)n;
    if (i) memcpy(workers + n, workers, (size_t)n * sizeof *workers);
  }
  s->n_workers += n * n_tenants;
  s->pairs += is_pair;
  return END_OF_TEXT;
}

static int end_round(Scan *s, const char *p, const char *end) {
  int64_t bytes = end - p;
  if (s->n_rounds >= s->max_rounds || s->n_telemetry + bytes + 1 > s->max_telemetry)
    return s->n_rounds ? FULL : HAND_OVER;
  if (!read_telemetry(s, p, end, s->columns + s->n_rounds * s->n_columns)) return HAND_OVER;
  memcpy(s->telemetry + s->n_telemetry, p, (size_t)bytes);
  s->telemetry[s->n_telemetry + bytes] = '\n';
  s->n_telemetry += bytes + 1;
  s->placed[s->n_rounds] = (int32_t)(s->n_jobs - s->first_job);
  s->round_pairs[s->n_rounds] = (int32_t)s->pairs;
  s->last_round = (int64_t)s->columns[s->n_rounds++ * s->n_columns]; /* its first column */
  s->first_job = s->n_jobs;
  s->pairs = 0;
  return END_OF_TEXT;
}

/* Read lines until the text ends, one needs Python, or the arrays are full and this one is not consumed. */
int64_t scan_lines(Scan *s) {
  const char *stop = s->text + s->length;
  while (s->position < s->length) {
    const char *line = s->text + s->position;
    const char *end = memchr(line, '\n', (size_t)(stop - line));
    if (!end) break;
    const char *bracket = line, *message = NULL;
    while ((bracket = memchr(bracket, ']', (size_t)(end - bracket)))) {
      if (++bracket < end && *bracket == ' ') {
        message = bracket + 1;
        break;
      }
    }
    int code = END_OF_TEXT;
    if (!message) {
      /* only the summary at the end stands without a time; its lines begin so */
      if (line < end && (*line == 'J' || *line == 'A' || *line == 'C')) code = HAND_OVER;
    } else if (message < end && *message == '[') {
      if (BEGINS(message, end, SCHEDULED)) code = read_scheduled(s, message + sizeof(SCHEDULED) - 1, end);
    } else if (BEGINS(message, end, TELEMETRY)) {
      code = end_round(s, message + sizeof(TELEMETRY) - 1, end);
    } else if (BEGINS(message, end, EVENT)) {
      if (!BEGINS(message, end, SCHEDULE_ROUND)) code = HAND_OVER_EVENT;
    } else if (BEGINS(message, end, ALLOCATION)) {
      code = HAND_OVER;
    }
    if (code == FULL) return code;
    s->position = end + 1 - s->text;
    s->lines++;
    if (code) {
      s->handed_start = (code == HAND_OVER_EVENT ? message + sizeof(EVENT) - 1 : line) - s->text;
      s->handed_end = end - s->text;
      return code;
    }
  }
  return END_OF_TEXT;
}
