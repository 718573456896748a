/* Preloaded into a process: syncs fail with EIO while the file that FAULTY_DISK names exists. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int faulty(void) {
    struct stat found;
    const char *name = getenv("FAULTY_DISK");
    return name != NULL && stat(name, &found) == 0;
}

static int pass_on(const char *call, int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, call);
    if (faulty()) {
        errno = EIO;
        return -1;
    }
    return real(file);
}

int fsync(int file) { return pass_on("fsync", file); }
int fdatasync(int file) { return pass_on("fdatasync", file); }
