// Faults that a test asks for, put between the program and the C library by LD_PRELOAD.
//
// FAULTS names a folder. Each fault is a file in it; its text says to which paths the fault applies (those that
// contain it). Without the file nothing is changed. The first time that one applies, the file `met-<fault>` is made.
//   sync-fails    fdatasync and fsync answer EIO
//   sync-is-slow  they take 300 ms longer
//   sync-hangs    they never return
//   read-fails    read and pread answer EIO
//   write-fails   write and pwrite answer EROFS, as on a file system that went read-only
//   clock         seconds, added to the clock of the day
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int fault(const char *name, char *text, size_t size) {
    char path[4096];
    const char *folder = getenv("FAULTS");
    if (!folder) return 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return 0;
    ssize_t length = syscall(SYS_read, fd, text, size - 1);
    syscall(SYS_close, fd);
    if (length < 0) return 0;
    text[length] = 0;
    return 1;
}

static int applies(const char *name, int fd) {
    char text[512], link[64], path[4096];
    int saved = errno, found = 0;
    if (fault(name, text, sizeof text)) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, path, sizeof path - 1);
        path[length < 0 ? 0 : length] = 0;
        found = text[0] && strstr(path, text) != NULL;
        if (found) {
            snprintf(path, sizeof path, "%s/met-%s", getenv("FAULTS"), name);
            long met = syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
            if (met >= 0) syscall(SYS_close, met);
        }
    }
    errno = saved;
    return found;
}

static int synced(int fd, long call) {
    if (applies("sync-hangs", fd))
        for (;;) pause();
    if (applies("sync-is-slow", fd)) usleep(300 * 1000);
    if (applies("sync-fails", fd)) {
        errno = EIO;
        return -1;
    }
    return syscall(call, fd);
}

int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }
int fsync(int fd) { return synced(fd, SYS_fsync); }

static int unreadable(int fd) {
    if (!applies("read-fails", fd)) return 0;
    errno = EIO;
    return 1;
}

static int unwritable(int fd) {
    if (!applies("write-fails", fd)) return 0;
    errno = EROFS;
    return 1;
}

ssize_t read(int fd, void *bytes, size_t size) {
    return unreadable(fd) ? -1 : syscall(SYS_read, fd, bytes, size);
}
ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset) {
    return unreadable(fd) ? -1 : syscall(SYS_pread64, fd, bytes, size, offset);
}
ssize_t pread(int fd, void *bytes, size_t size, off_t offset) { return pread64(fd, bytes, size, offset); }

ssize_t write(int fd, const void *bytes, size_t size) {
    return unwritable(fd) ? -1 : syscall(SYS_write, fd, bytes, size);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    return unwritable(fd) ? -1 : syscall(SYS_pwrite64, fd, bytes, size, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) { return pwrite64(fd, bytes, size, offset); }

int clock_gettime(clockid_t clock, struct timespec *time) {
    int answer = syscall(SYS_clock_gettime, clock, time);
    char text[64];
    int saved = errno;
    if (answer == 0 && clock == CLOCK_REALTIME && fault("clock", text, sizeof text)) time->tv_sec += atoll(text);
    errno = saved;
    return answer;
}
