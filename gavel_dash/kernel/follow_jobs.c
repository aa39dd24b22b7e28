/* What each job of a run holds, round by round: one walk over the allocation that stops only where a cell changes.
 *
 * `analysis/job_holdings.py` does the same with sorted arrays; its result is the definition, to the last bit.
 * `Follow` mirrors the class of that name in bindings.py, field by field; every field is 8 bytes wide. The allocation may
 * be a file that changes meanwhile: each cell is read once, so that what is counted stays consistent.
 */
#include <stdint.h>
#include <string.h>

enum { MAX_LANES_PER_GPU = 8, IDLE = -1, BLOCK = 16 };

typedef struct {
  /* cells of a round are side by side, rounds `round_bytes` apart */
  const char *cells;
  int64_t round_bytes, n_rounds, n_gpus, lanes_per_gpu, n_jobs, n_types, job_id_offset;
  const int64_t *job_ids;
  const int32_t *type_of_gpu;
  /* a random number for each GPU, then for each type */
  const uint64_t *marks;
  const double *edges_h;
  /* room: rows of jobs by hash of their id (IDLE at first); per lane its cell and the row of its job (0 and IDLE at
   * first); per job, zero at first: lanes and GPUs it holds, those by type, since which record, the sum of their marks,
   * the sums when it ran last and whether it ever did; rows that change in this round */
  int32_t *slots;
  int64_t n_slots;
  uint32_t *before;
  int32_t *row_of_lane, *n_lanes, *lanes_since, *n_gpus_held, *n_by_type, *gpus_since, *running_since;
  uint64_t *gpus_sum, *last_gpus, *last_types;
  int32_t *lanes_seen, *gpus_seen, *changing;
  /* out, per job, zero at first but the records (-1) */
  int32_t *first_start, *last_record, *run_rounds, *stops, *migrations, *type_migrations, *type_rounds;
  int64_t *lane_rounds;
  double *run_time_h, *lane_hours;
  /* out, or NULL: stretches of records in which a job runs; where the next one of each job goes, and where those of
   * the next job begin */
  int64_t *stretch_at;
  const int64_t *stretch_end;
  int32_t *stretch_start, *stretch_stop;
} Follow;

static inline int64_t slot_of(const Follow *f, int64_t job_id) {
  return (int64_t)(((uint64_t)job_id * 0x9E3779B97F4A7C15u) >> 32) & (f->n_slots - 1);
}

/* Of several records of one job the first counts. */
static void remember_rows(Follow *f) {
  for (int64_t row = 0; row < f->n_jobs; row++) {
    int64_t slot = slot_of(f, f->job_ids[row]);
    while (f->slots[slot] != IDLE && f->job_ids[f->slots[slot]] != f->job_ids[row]) slot = (slot + 1) & (f->n_slots - 1);
    if (f->slots[slot] == IDLE) f->slots[slot] = (int32_t)row;
  }
}

static int32_t row_of(const Follow *f, uint32_t stored) {
  if (!stored) return IDLE;
  int64_t job_id = (int64_t)stored - f->job_id_offset, slot = slot_of(f, job_id);
  while (f->slots[slot] != IDLE && f->job_ids[f->slots[slot]] != job_id) slot = (slot + 1) & (f->n_slots - 1);
  return f->slots[slot];
}

/* Count what a job has held until now, before that changes. */
static void settle_lanes(Follow *f, int32_t row, int32_t record) {
  int32_t since = f->lanes_since[row];
  if (f->n_lanes[row]) {
    f->lane_rounds[row] += (int64_t)f->n_lanes[row] * (record - since);
    f->lane_hours[row] += (double)f->n_lanes[row] * (f->edges_h[record] - f->edges_h[since]);
  }
  f->lanes_since[row] = record;
}

static void settle_gpus(Follow *f, int32_t row, int32_t record) {
  int32_t since = f->gpus_since[row];
  if (f->n_gpus_held[row]) {
    f->run_rounds[row] += record - since;
    f->run_time_h[row] += f->edges_h[record] - f->edges_h[since];
    for (int64_t t = 0; t < f->n_types; t++)
      if (f->n_by_type[row * f->n_types + t]) f->type_rounds[row * f->n_types + t] += record - since;
  }
  f->gpus_since[row] = record;
}

static void change_lane(Follow *f, int32_t row, int32_t record, int by) {
  if (f->lanes_seen[row] != record + 1) {
    f->lanes_seen[row] = record + 1;
    settle_lanes(f, row, record);
  }
  f->n_lanes[row] += by;
}

static int64_t change_gpu(Follow *f, int32_t row, int64_t gpu, int32_t record, int by, int64_t n_changing) {
  if (f->gpus_seen[row] != record + 1) {
    f->gpus_seen[row] = record + 1;
    f->changing[n_changing++] = row;
    if (!f->n_gpus_held[row]) f->running_since[row] = record;
    settle_gpus(f, row, record);
  }
  f->n_gpus_held[row] += by;
  f->n_by_type[row * f->n_types + f->type_of_gpu[gpu]] += by;
  f->gpus_sum[row] += by > 0 ? f->marks[gpu] : -f->marks[gpu];
  return n_changing;
}

static void stop(Follow *f, int32_t row, int32_t record) {
  f->stops[row]++;
  f->last_record[row] = record - 1;
  if (f->stretch_at && f->stretch_at[row] < f->stretch_end[row]) {
    f->stretch_start[f->stretch_at[row]] = f->running_since[row];
    f->stretch_stop[f->stretch_at[row]++] = record;
  }
}

/* What a job holds from this record on, where that is not what it held before. */
static void go_on(Follow *f, int32_t row, int32_t record) {
  if (!f->n_gpus_held[row]) {
    stop(f, row, record);
    return;
  }
  uint64_t types = 0;
  for (int64_t t = 0; t < f->n_types; t++)
    if (f->n_by_type[row * f->n_types + t]) types += f->marks[f->n_gpus + t];
  if (f->first_start[row] < 0) {
    f->first_start[row] = record;
  } else {
    f->migrations[row] += f->gpus_sum[row] != f->last_gpus[row];
    f->type_migrations[row] += types != f->last_types[row];
  }
  f->last_gpus[row] = f->gpus_sum[row];
  f->last_types[row] = types;
}

static inline int holds(const int32_t *rows, int64_t n, int32_t row) {
  for (int64_t k = 0; k < n; k++)
    if (rows[k] == row) return 1;
  return 0;
}

static int64_t change_cells(Follow *f, const char *cells, int64_t gpu, int32_t record, int64_t n_changing) {
  int64_t n = f->lanes_per_gpu, first = gpu * n;
  int32_t old[MAX_LANES_PER_GPU], now[MAX_LANES_PER_GPU];
  for (int64_t k = 0; k < n; k++) {
    uint32_t stored;
    memcpy(&stored, cells + 4 * (first + k), 4);
    now[k] = old[k] = f->row_of_lane[first + k];
    if (stored == f->before[first + k]) continue;
    f->before[first + k] = stored;
    f->row_of_lane[first + k] = now[k] = row_of(f, stored);
    if (now[k] == old[k]) continue;
    if (old[k] != IDLE) change_lane(f, old[k], record, -1);
    if (now[k] != IDLE) change_lane(f, now[k], record, 1);
  }
  for (int64_t k = 0; k < n; k++) {
    if (old[k] != IDLE && !holds(old, k, old[k]) && !holds(now, n, old[k]))
      n_changing = change_gpu(f, old[k], gpu, record, -1, n_changing);
    if (now[k] != IDLE && !holds(now, k, now[k]) && !holds(old, n, now[k]))
      n_changing = change_gpu(f, now[k], gpu, record, 1, n_changing);
  }
  return n_changing;
}

void follow_jobs(Follow *f) {
  int64_t n_lanes = f->n_gpus * f->lanes_per_gpu, step = f->lanes_per_gpu > 1 ? f->lanes_per_gpu : BLOCK;
  remember_rows(f);
  for (int32_t record = 0; record < f->n_rounds; record++) {
    const char *cells = f->cells + record * f->round_bytes;
    int64_t n_changing = 0;
    for (int64_t lane = 0; lane < n_lanes; lane += step) {
      int64_t end = lane + step < n_lanes ? lane + step : n_lanes;
      if (!memcmp(cells + 4 * lane, f->before + lane, 4 * (size_t)(end - lane))) continue;
      for (int64_t gpu = lane / f->lanes_per_gpu; gpu * f->lanes_per_gpu < end; gpu++)
        n_changing = change_cells(f, cells, gpu, record, n_changing);
    }
    for (int64_t k = 0; k < n_changing; k++) go_on(f, f->changing[k], record);
  }
  for (int32_t row = 0; row < f->n_jobs; row++) {
    settle_lanes(f, row, (int32_t)f->n_rounds);
    if (!f->n_gpus_held[row]) continue;
    settle_gpus(f, row, (int32_t)f->n_rounds);
    stop(f, row, (int32_t)f->n_rounds);
  }
}
