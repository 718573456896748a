/* Preloaded into a process: numbers whatever it does to files below a folder, and lets one of these go wrong.
 *
 * `points_arm` says where, from which number on, how many of them and how. Nothing happens before it is called.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, DIE_BEFORE, DIE_AFTER, DIE_TORN, FAIL_WRITE_IO, FAIL_WRITE_FULL, SHORT_WRITE, FAIL_SYNC };

static char root[PATH_MAX];
static size_t root_length;
static long first, many;
static int kind;
static atomic_long count;

void points_arm(const char *folder, int how, long from, long how_many) {
    snprintf(root, sizeof root, "%s", folder);
    kind = how;
    first = from;
    many = how_many;
    atomic_store(&count, 0);
    root_length = strlen(root);
}

long points_count(void) { return atomic_load(&count); }

static int lies_below(const char *path) {
    return root_length != 0 && strncmp(path, root, root_length) == 0;
}

static int is_ours(int file) {
    char link[64], path[PATH_MAX];
    ssize_t length;
    if (root_length == 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return lies_below(path);
}

/* The process is dead before the next statement, also where another thread would go on. */
static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Takes the next number; tells how it goes wrong, COUNT for well. */
static int next(void) {
    long number = atomic_fetch_add(&count, 1) + 1;
    return number >= first && number < first + many ? kind : COUNT;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* What happens instead of a write of `size` bytes: -1 an error, 0 nothing, else so many bytes are to be written. */
static ssize_t before_write(int how, size_t size) {
    if (how == DIE_BEFORE) die();
    if (how == FAIL_WRITE_IO || how == FAIL_WRITE_FULL) {
        errno = how == FAIL_WRITE_IO ? EIO : ENOSPC;
        return -1;
    }
    return (how == SHORT_WRITE || how == DIE_TORN) && size > 1 ? (ssize_t)(size / 2) : 0;
}

#define WRITE(file, size, call_whole, call_some)             \
    do {                                                     \
        int saved = errno, ours = is_ours(file);             \
        errno = saved;                                       \
        if (!ours) return call_whole;                        \
        int how = next();                                    \
        ssize_t some = before_write(how, size), done;        \
        if (some < 0) return -1;                             \
        done = some ? call_some : call_whole;                \
        if (how == DIE_AFTER || how == DIE_TORN) die();      \
        return done;                                         \
    } while (0)

ssize_t write(int file, const void *from, size_t size) {
    WRITE(file, size, REAL(write)(file, from, size), REAL(write)(file, from, (size_t)some));
}

ssize_t pwrite(int file, const void *from, size_t size, off_t at) {
    WRITE(file, size, REAL(pwrite)(file, from, size, at), REAL(pwrite)(file, from, (size_t)some, at));
}

ssize_t pwrite64(int file, const void *from, size_t size, off64_t at) {
    WRITE(file, size, REAL(pwrite64)(file, from, size, at), REAL(pwrite64)(file, from, (size_t)some, at));
}

/* Everything that is done or not: no halves. */
#define WHOLE(ours, fails, call)                             \
    do {                                                     \
        int saved = errno, mine = ours;                      \
        errno = saved;                                       \
        if (!mine) return call;                              \
        int how = next(), done;                              \
        if (how == DIE_BEFORE) die();                        \
        if (fails) {                                         \
            errno = how == FAIL_WRITE_FULL ? ENOSPC : EIO;   \
            return -1;                                       \
        }                                                    \
        done = call;                                         \
        if (how == DIE_AFTER || how == DIE_TORN) die();      \
        return done;                                         \
    } while (0)

#define SYNC(file, call) WHOLE(is_ours(file), how == FAIL_SYNC, call)
#define CHANGE(ours, call) WHOLE(ours, how == FAIL_WRITE_IO || how == FAIL_WRITE_FULL, call)

int fsync(int file) { SYNC(file, REAL(fsync)(file)); }
int fdatasync(int file) { SYNC(file, REAL(fdatasync)(file)); }
int ftruncate(int file, off_t size) { CHANGE(is_ours(file), REAL(ftruncate)(file, size)); }
int ftruncate64(int file, off64_t size) { CHANGE(is_ours(file), REAL(ftruncate64)(file, size)); }
int rename(const char *from, const char *to) { CHANGE(lies_below(to), REAL(rename)(from, to)); }
int unlink(const char *path) { WHOLE(lies_below(path), how == FAIL_WRITE_IO, REAL(unlink)(path)); }
