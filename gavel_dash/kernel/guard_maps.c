/* Memory maps of files that others may cut short meanwhile.
 *
 * Touching a mapped page that its file no longer has raises SIGBUS, and that ends the process. In maps opened here such
 * a page and all after it become zeros instead, and the map is marked as broken: whoever read from it has to ask, and
 * must throw away what it made of them. Any other SIGBUS goes to whoever handled it before.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FREE, CLAIMED, LIVE };
enum { MAX_MAPS = 4096 };

/* Of fixed size and without locks: the handler may interrupt anything, also the opening of another map. */
typedef struct {
  atomic_int state, broken;
  uintptr_t start, end;
} Map;

static Map maps[MAX_MAPS];
static struct sigaction earlier;
static atomic_int declined;
static uintptr_t page_bytes;

static int replace_by_zeros(uintptr_t at) {
  for (int slot = 0; slot < MAX_MAPS; slot++) {
    Map *map = maps + slot;
    if (atomic_load(&map->state) != LIVE || at < map->start || at >= map->end) continue;
    uintptr_t page = at - at % page_bytes;
    atomic_store(&map->broken, 1);
    /* To the end at once: page by page, a scan of a large file would use up the maps a process may have. */
    return mmap((void *)page, map->end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
  }
  return 0;
}

static void decline(int code) {
  struct sigaction by_default = {.sa_handler = SIG_DFL};
  /* An earlier handler may hand back to this one: the second time there is nobody left to ask. */
  sigaction(SIGBUS, atomic_fetch_add(&declined, 1) ? &by_default : &earlier, NULL);
  /* A fault comes again, as its instruction is repeated; a signal that was sent does not. */
  if (code != BUS_ADRERR && code != BUS_ADRALN) raise(SIGBUS);
}

static void on_sigbus(int number, siginfo_t *info, void *context) {
  int kept = errno;
  (void)number, (void)context;
  if (info->si_code != BUS_ADRERR || !replace_by_zeros((uintptr_t)info->si_addr)) decline(info->si_code);
  errno = kept;
}

static int install(void) {
  struct sigaction mine = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK}, before;
  page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
  sigemptyset(&mine.sa_mask);
  if (sigaction(SIGBUS, &mine, &before)) return -errno;
  /* Others come later (faulthandler) and are then the earlier ones. */
  if (!(before.sa_flags & SA_SIGINFO) || before.sa_sigaction != on_sigbus) {
    earlier = before;
    atomic_store(&declined, 0);
  }
  return 0;
}

/* Map the first bytes of a file for reading; returns its slot, or an errno below zero. */
int64_t open_map(int64_t file, int64_t n_bytes, int64_t *address) {
  int64_t failed = install();
  if (failed) return failed;
  for (int slot = 0; slot < MAX_MAPS; slot++) {
    int expected = FREE;
    if (!atomic_compare_exchange_strong(&maps[slot].state, &expected, CLAIMED)) continue;
    void *start = mmap(NULL, (size_t)n_bytes, PROT_READ, MAP_SHARED, (int)file, 0);
    if (start == MAP_FAILED) {
      failed = errno;
      atomic_store(&maps[slot].state, FREE);
      return -failed;
    }
    maps[slot].start = (uintptr_t)start;
    maps[slot].end = (uintptr_t)start + (uintptr_t)n_bytes;
    atomic_store(&maps[slot].broken, 0);
    atomic_store(&maps[slot].state, LIVE);
    *address = (int64_t)start;
    return slot;
  }
  return -ENOMEM;
}

/* Whether something was read that was not there. */
int64_t is_broken(int64_t slot) { return atomic_load(&maps[slot].broken); }

/* Nobody may read from the map any more. */
void close_map(int64_t slot) {
  atomic_store(&maps[slot].state, CLAIMED);
  munmap((void *)maps[slot].start, maps[slot].end - maps[slot].start);
  atomic_store(&maps[slot].state, FREE);
}
