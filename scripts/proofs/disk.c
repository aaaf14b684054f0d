/* A disk that can fail, for programs that are started with this library in LD_PRELOAD.
 *
 * Power. Below $DISK_ROOT nothing is durable until it is synced, and this library writes down what is:
 *   - fsync and fdatasync of a file copy its pages that were written since the last sync into $DISK_SHADOW/blob/INODE;
 *   - everything that changes names is appended to $DISK_SHADOW/log, in the order in which it happened, and so is the
 *     fsync of a folder.
 * crash.py makes of both what is left on the disk when the power fails. Whoever holds the lock on $DISK_SHADOW/lock
 * stops all of this: that is the moment of the failure.
 *
 * Faults. While the file $DISK_SHADOW/fault holds "ERRNO OPERATIONS PREFIX", the operations fail for paths that begin
 * with PREFIX. The letters: w write, s sync, c create, o open for writing, n change of names. A failed fsync drops the
 * pages it should have written, as Linux does: a later fsync that succeeds does not write them.
 *
 * $DISK_IGNORE is a part of a path: syncs of such paths say that they succeeded and do nothing. A proof must notice.
 *
 * What is written through mmap is not seen. SQLite does that with its -shm file alone, which it makes anew.
 *
 * System calls are made directly, so that no other preloaded library comes between.
 */
#include "disk_model.h"

/* What was written since the last sync, and nothing else, reaches the blob. */
static void keep(int handle, struct stat *found) {
    struct file *file = known(found->st_ino);
    char path[LONG], page[PAGE];
    blob_path(found->st_ino, path);
    int blob = raw_open(path, O_WRONLY | O_CREAT | O_CLOEXEC);
    if (blob < 0) abort();
    int source = handle;
    if ((fcntl(handle, F_GETFL) & O_ACCMODE) == O_WRONLY) {
        /* Not for every handle: closing a second one would end the locks that SQLite has on the file. */
        snprintf(path, sizeof path, "/proc/self/fd/%d", handle);
        source = raw_open(path, O_RDONLY | O_CLOEXEC);
        if (source < 0) abort();
    }
    for (size_t at = 0; at < file->pages; at++) {
        if (!file->dirty[at]) continue;
        long length = syscall(SYS_pread64, source, page, sizeof page, (off_t)at * PAGE);
        if (length > 0 && syscall(SYS_pwrite64, blob, page, length, (off_t)at * PAGE) != length) abort();
    }
    if (syscall(SYS_ftruncate, blob, found->st_size)) abort();
    if (source != handle) syscall(SYS_close, source);
    syscall(SYS_close, blob);
    forget(file);
}

static int sync_handle(int handle, int number) {
    char path[PATH_MAX];
    struct stat found;
    if (!*root || !inside(of_handle(handle, path)) || fstat(handle, &found)) return (int)syscall(number, handle);
    if (ignored && strstr(path, ignored)) return 0;
    begin();
    int failed = faulty('s', path);
    if (failed)
        forget(known(found.st_ino));
    else if (S_ISDIR(found.st_mode))
        say("S", path, "");
    else
        keep(handle, &found);
    end();
    return failed;
}

int fsync(int handle) { return sync_handle(handle, SYS_fsync); }
int fdatasync(int handle) { return sync_handle(handle, SYS_fdatasync); }

ssize_t write(int handle, const void *data, size_t size) {
    if (fails_to_write(handle)) return -1;
    ssize_t length = syscall(SYS_write, handle, data, size);
    if (length > 0) written(handle, lseek(handle, 0, SEEK_CUR) - length, length);
    return length;
}

ssize_t writev(int handle, const struct iovec *parts, int number) {
    if (fails_to_write(handle)) return -1;
    ssize_t length = syscall(SYS_writev, handle, parts, number);
    if (length > 0) written(handle, lseek(handle, 0, SEEK_CUR) - length, length);
    return length;
}

ssize_t pwrite64(int handle, const void *data, size_t size, off64_t offset) {
    if (fails_to_write(handle)) return -1;
    ssize_t length = syscall(SYS_pwrite64, handle, data, size, offset);
    if (length > 0) written(handle, offset, length);
    return length;
}

ssize_t pwrite(int handle, const void *data, size_t size, off_t offset) { return pwrite64(handle, data, size, offset); }

int ftruncate64(int handle, off64_t length) {
    struct stat found;
    if (fails_to_write(handle) || fstat(handle, &found)) return -1;
    int failed = (int)syscall(SYS_ftruncate, handle, length);
    off_t from = length < found.st_size ? length : found.st_size, to = length + found.st_size - from;
    if (!failed && to > from) written(handle, from, to - from);
    return failed;
}

int ftruncate(int handle, off_t length) { return ftruncate64(handle, length); }

/* A new file takes the inode over from one that is gone, whose content may yet come back: its blob makes way. */
static void created(int handle, const char *path) {
    struct stat found;
    char old[LONG], new[LONG + 32], numbers[64];
    if (fstat(handle, &found)) abort();
    blob_path(found.st_ino, old);
    snprintf(new, sizeof new, "%s@%ld", old, (long)lseek(log_file, 0, SEEK_END));
    syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, 0);
    forget(known(found.st_ino));
    snprintf(numbers, sizeof numbers, "%lu %o", (unsigned long)found.st_ino, found.st_mode & 07777);
    say("C", path, numbers);
}

static int open_at(int folder, const char *path, int flags, mode_t mode) {
    char full[LONG];
    struct stat found;
    if (!*root || !inside(absolute(folder, path, full)) || !(flags & (O_CREAT | O_WRONLY | O_RDWR)) ||
        (flags & O_TMPFILE) == O_TMPFILE)
        return (int)syscall(SYS_openat, folder, path, flags, mode);
    begin();
    int there = !fstatat(folder, path, &found, AT_SYMLINK_NOFOLLOW), handle = faulty(there ? 'o' : 'c', full);
    if (!handle) handle = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (handle >= 0 && !there) created(handle, full);
    if (handle >= 0 && there && flags & O_TRUNC && found.st_size) mark(known(found.st_ino), 0, found.st_size);
    end();
    return handle;
}

static mode_t mode_of(int flags, va_list more) { return __OPEN_NEEDS_MODE(flags) ? va_arg(more, mode_t) : 0; }

#define OPEN(name, parameters, folder)                        \
    int name parameters {                                     \
        va_list more;                                         \
        va_start(more, flags);                                \
        mode_t mode = mode_of(flags, more);                   \
        va_end(more);                                         \
        return open_at(folder, path, flags, mode);            \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int folder, const char *path, int flags, ...), folder)
OPEN(openat64, (int folder, const char *path, int flags, ...), folder)
int __open_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char *path, int flags) { return open_at(folder, path, flags, 0); }
int __openat64_2(int folder, const char *path, int flags) { return open_at(folder, path, flags, 0); }

int mkdirat(int folder, const char *path, mode_t mode) {
    char full[LONG], numbers[16];
    struct stat found;
    if (!*root || !inside(absolute(folder, path, full))) return (int)syscall(SYS_mkdirat, folder, path, mode);
    begin();
    int failed = faulty('n', full);
    if (!failed) failed = (int)syscall(SYS_mkdirat, folder, path, mode);
    if (!failed && !fstatat(folder, path, &found, 0)) {
        snprintf(numbers, sizeof numbers, "%o", found.st_mode & 07777);
        say("M", full, numbers);
    }
    end();
    return failed;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int unlinkat(int folder, const char *path, int flags) {
    char full[LONG];
    if (!*root || !inside(absolute(folder, path, full))) return (int)syscall(SYS_unlinkat, folder, path, flags);
    begin();
    int failed = faulty('n', full);
    if (!failed) failed = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (!failed) say("U", full, "");
    end();
    return failed;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int renameat2(int old_folder, const char *old, int new_folder, const char *new, unsigned flags) {
    char from[LONG], to[LONG];
    absolute(old_folder, old, from);
    absolute(new_folder, new, to);
    if (!*root || (!inside(from) && !inside(to)))
        return (int)syscall(SYS_renameat2, old_folder, old, new_folder, new, flags);
    begin();
    int failed = faulty('n', from) || faulty('n', to) ? -1 : 0;
    if (!failed) failed = (int)syscall(SYS_renameat2, old_folder, old, new_folder, new, flags);
    if (!failed) say(inside(from) && inside(to) && !flags ? "R" : "X", from, to);
    end();
    return failed;
}

int renameat(int from, const char *old, int to, const char *new) { return renameat2(from, old, to, new, 0); }
int rename(const char *old, const char *new) { return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }

/* Nothing makes links here; should that change, the model says so instead of being wrong. */
int linkat(int old_folder, const char *old, int new_folder, const char *new, int flags) {
    char full[LONG];
    if (*root && inside(absolute(new_folder, new, full))) say("X", full, "a link");
    return (int)syscall(SYS_linkat, old_folder, old, new_folder, new, flags);
}

int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }
