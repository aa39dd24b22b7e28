/* Lay rounds out as the bytes of a .viz.bin file, and check them against the log's own counts on the way.
 *
 * What is not of the common form (a GPU with two tenants, a number that does not fit its field) makes the whole
 * block the Python code's, which works without this kernel: its result is the definition.
 *
 * `Assemble` mirrors the class of that name in bindings.py, field by field; every field is 8 bytes wide.
 */
#include <float.h>
#include <stdint.h>
#include <string.h>

typedef struct {
  int64_t n_rounds, first_round, n_types, record_bytes, n_logged;
  /* as spooled: heads of 8 columns, logged of n_logged */
  const double *heads;
  const int64_t *logged;
  const int32_t *placed, *pairs, *jobs, *sizes, *workers;
  /* of the run: GPU of a worker, type and number of GPUs of a type; per job its id as stored, rounds written before
   * it arrived and completed, and whether it takes whole GPUs */
  const int32_t *gpu_of_worker;
  int64_t n_gpu_of_worker;
  const int32_t *type_of_gpu, *logged_columns;
  const uint32_t *stored_ids;
  const int32_t *arrived, *completed;
  const uint8_t *whole;
  /* jobs in the system at some time of these rounds, in order of arrival; loses those that complete */
  int32_t *present;
  int64_t n_present;
  /* per job, one more than the round it ran in last; zero at first */
  int32_t *ran;
  /* out: round records, zeroed; queues; where each queue starts */
  char *records;
  char *queue;
  int64_t queue_bytes, max_queue_bytes;
  uint64_t *queue_starts;
  int64_t queue_disagrees, use_disagrees, strays, pair_rounds;
} Assemble;

enum { TAKEN = 0, NOT_MINE = 1, NO_ROOM = 2 };

static inline void put2(char *at, uint16_t value) { memcpy(at, &value, 2); }
static inline void put4(char *at, uint32_t value) { memcpy(at, &value, 4); }
static inline void put_float(char *at, double value) {
  float single = (float)value;
  memcpy(at, &single, 4);
}
static inline int fits(double value, double limit) { return value >= 0 && value <= limit; }
static inline int fits_float(double value) { return value >= -FLT_MAX && value <= FLT_MAX; }

enum { ROUND, SIM_TIME, UTILIZATION, RUNNING, QUEUED, COMPLETED, MEAN_JCT, RATE, N_HEADS };

/* Lay out rounds of a log that counts GPUs in use itself. NOT_MINE: take none of what was written. */
int64_t assemble_rounds(Assemble *a) {
  int64_t placement = 0, worker = 0, used[256], n_types = a->n_types;
  for (int64_t i = 0; i < a->n_rounds; i++) {
    int64_t round = a->first_round + i, running = 0;
    const double *head = a->heads + i * N_HEADS;
    const int64_t *logged = a->logged + i * a->n_logged;
    char *record = a->records + i * a->record_bytes, *cells = record + 28 + 2 * n_types;
    int stray = 0, use_differs = 0;
    memset(used, 0, (size_t)n_types * sizeof *used);
    for (int64_t stop = placement + a->placed[i]; placement < stop; placement++) {
      int32_t job = a->jobs[placement];
      if (!a->whole[job]) return NOT_MINE;
      if (a->ran[job] != round + 1) {
        a->ran[job] = (int32_t)(round + 1);
        running++;
        stray |= a->arrived[job] > round || a->completed[job] <= round;
      }
      for (int64_t last = worker + a->sizes[placement]; worker < last; worker++) {
        if (a->workers[worker] >= a->n_gpu_of_worker) return NOT_MINE;
        int32_t gpu = a->gpu_of_worker[a->workers[worker]];
        char *cell = cells + 4 * (int64_t)gpu;
        uint32_t taken;
        memcpy(&taken, cell, 4);
        if (taken) return NOT_MINE; /* shared */
        put4(cell, a->stored_ids[job]);
        used[a->type_of_gpu[gpu]]++;
      }
    }
    if (a->queue_bytes + 2 + 4 * a->n_present > a->max_queue_bytes) return NO_ROOM;
    a->queue_starts[i] = (uint64_t)a->queue_bytes;
    char *queue = a->queue + a->queue_bytes + 2;
    int64_t queued = 0, kept = 0, k = 0;
    for (; k < a->n_present; k++) {
      int32_t job = a->present[k];
      if (a->arrived[job] > round) break; /* in order of arrival: so do all others */
      if (a->completed[job] <= round) continue;
      a->present[kept++] = job;
      if (a->ran[job] != round + 1) put4(queue + 4 * queued++, a->stored_ids[job]);
    }
    if (kept < k) {
      memmove(a->present + kept, a->present + k, (size_t)(a->n_present - k) * sizeof *a->present);
      a->n_present -= k - kept;
    }
    double log_running = head[RUNNING] + a->pairs[i], log_queued = head[QUEUED] - a->pairs[i];
    if (queued > 65535 || !fits(head[ROUND], 4294967295.0) || !fits(log_running, 65535) ||
        !fits(log_queued, 65535) || !fits(head[COMPLETED], 4294967295.0) || !fits_float(head[SIM_TIME]) ||
        !fits_float(head[UTILIZATION]) || !fits_float(head[MEAN_JCT]) || !fits_float(head[RATE]))
      return NOT_MINE;
    put2(queue - 2, (uint16_t)queued);
    a->queue_bytes += 2 + 4 * queued;
    for (int64_t t = 0; t < n_types; t++) {
      int64_t count = a->logged_columns[t] < 0 ? 0 : logged[a->logged_columns[t]];
      if (count < 0 || count > 65535) return NOT_MINE;
      use_differs |= count != used[t];
      put2(record + 28 + 2 * t, (uint16_t)count);
    }
    put4(record, (uint32_t)head[ROUND]);
    put_float(record + 4, head[SIM_TIME]);
    put_float(record + 8, head[UTILIZATION]);
    put2(record + 12, (uint16_t)log_running);
    put2(record + 14, (uint16_t)log_queued);
    put4(record + 16, (uint32_t)head[COMPLETED]);
    put_float(record + 20, head[MEAN_JCT]);
    put_float(record + 24, head[RATE]);
    a->queue_disagrees += (int64_t)log_queued != queued;
    a->use_disagrees += use_differs;
    a->strays += stray;
    a->pair_rounds += a->pairs[i] > 0;
  }
  return TAKEN;
}
