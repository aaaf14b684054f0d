/* The model behind disk.c: which paths are meant, which pages are not synced yet, what has to fail. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096, LONG = 2 * PATH_MAX };

struct file {
    ino_t inode;
    size_t pages;
    unsigned char *dirty;
};

static char root[PATH_MAX], shadow[PATH_MAX], control[LONG];
static const char *ignored;
static int log_file = -1, lock_file = -1;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static size_t count;

static void begin(void) {
    pthread_mutex_lock(&mutex);
    while (flock(lock_file, LOCK_EX) && errno == EINTR) {}
}

static void end(void) {
    int saved = errno;
    flock(lock_file, LOCK_UN);
    pthread_mutex_unlock(&mutex);
    errno = saved;
}

static int raw_open(const char *path, int flags) { return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600); }

__attribute__((constructor)) static void start(void) {
    const char *folder = getenv("DISK_ROOT"), *beside = getenv("DISK_SHADOW");
    if (!folder || !beside) return;
    snprintf(shadow, sizeof shadow, "%s", beside);
    snprintf(control, sizeof control, "%s/fault", beside);
    ignored = getenv("DISK_IGNORE");
    char path[LONG];
    snprintf(path, sizeof path, "%s/log", shadow);
    log_file = raw_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC);
    snprintf(path, sizeof path, "%s/lock", shadow);
    lock_file = raw_open(path, O_RDWR | O_CREAT | O_CLOEXEC);
    if (log_file < 0 || lock_file < 0) abort();
    snprintf(root, sizeof root, "%s", folder);
}

static int inside(const char *path) {
    size_t length = strlen(root);
    return length && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

/* The path behind a handle; empty when it has none. */
static const char *of_handle(int handle, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = 0;
    return path;
}

/* The absolute form of a path; folders that are links do not occur here. */
static const char *absolute(int folder, const char *path, char *full) {
    if (path[0] == '/') {
        snprintf(full, LONG, "%s", path);
        return full;
    }
    char base[PATH_MAX] = "";
    if (folder == AT_FDCWD)
        syscall(SYS_getcwd, base, sizeof base);
    else
        of_handle(folder, base);
    snprintf(full, LONG, "%s/%s", base, path);
    return full;
}

/* Sets errno and returns -1 if the operation has to fail now. */
static int faulty(char operation, const char *path) {
    if (!inside(path) || syscall(SYS_faccessat, AT_FDCWD, control, F_OK)) return 0;
    char text[LONG] = "", operations[16], prefix[PATH_MAX];
    int handle = raw_open(control, O_RDONLY | O_CLOEXEC), number;
    if (handle < 0) return 0;
    syscall(SYS_read, handle, text, sizeof text - 1);
    syscall(SYS_close, handle);
    if (sscanf(text, "%d %15s %4095s", &number, operations, prefix) != 3) return 0;
    if (!strchr(operations, operation) || strncmp(path, prefix, strlen(prefix))) return 0;
    errno = number;
    return -1;
}

static void say(const char *kind, const char *first, const char *second) {
    char line[2 * LONG];
    int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", kind, first, second);
    if (syscall(SYS_write, log_file, line, length) != length) abort();
}

static struct file *known(ino_t inode) {
    for (size_t at = count; at--;)
        if (files[at].inode == inode) return &files[at];
    files = realloc(files, (count + 1) * sizeof *files);
    if (!files) abort();
    files[count] = (struct file){.inode = inode};
    return &files[count++];
}

static void forget(struct file *file) {
    free(file->dirty);
    *file = files[--count];
}

static void mark(struct file *file, off_t from, off_t to) {
    size_t last = (size_t)(to + PAGE - 1) / PAGE;
    if (last > file->pages) {
        file->dirty = realloc(file->dirty, last);
        if (!file->dirty) abort();
        memset(file->dirty + file->pages, 0, last - file->pages);
        file->pages = last;
    }
    for (size_t page = (size_t)from / PAGE; page < last; page++) file->dirty[page] = 1;
}

/* The regular file below the root that a handle leads to. */
static int ours(int handle, struct stat *found, char *path) {
    return inside(of_handle(handle, path)) && !fstat(handle, found) && S_ISREG(found->st_mode);
}

static void written(int handle, off_t from, off_t length) {
    struct stat found;
    char path[PATH_MAX];
    int saved = errno;
    if (*root && ours(handle, &found, path)) {
        pthread_mutex_lock(&mutex);
        mark(known(found.st_ino), from, from + length);
        pthread_mutex_unlock(&mutex);
    }
    errno = saved;
}

static int fails_to_write(int handle) {
    char path[PATH_MAX];
    return *root && faulty('w', of_handle(handle, path));
}

static void blob_path(ino_t inode, char *path) { snprintf(path, LONG, "%s/blob/%lu", shadow, (unsigned long)inode); }
