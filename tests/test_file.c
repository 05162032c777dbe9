/* Files appear whole or not at all; digests are the published ones. */
#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "scratch.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int entries(void)
{
    DIR *dir = opendir(scratch);
    int count = 0;
    while (readdir(dir)) count++;
    closedir(dir);
    return count - 2;
}

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    return path;
}

START_TEST(test_write_read)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *out = malloc(sizes[i] + 1), *in;
        size_t size;
        for (size_t j = 0; j < sizes[i]; j++) out[j] = (char)(j * 31 + i);
        ck_assert_int_eq(cairn_file_write(in_folder("f"), out, sizes[i]), CAIRN_OK);
        ck_assert_int_eq(cairn_file_read(in_folder("f"), &in, &size), CAIRN_OK);
        ck_assert_uint_eq(size, sizes[i]);
        ck_assert_int_eq(memcmp(in, out, size), 0);
        ck_assert_int_eq(in[size], 0);
        free(in);
        free(out);
    }
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(test_read_failures)
{
    char *data;
    size_t size;
    ck_assert_int_eq(cairn_file_read(in_folder("none"), &data, &size), CAIRN_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "none"));
    ck_assert_int_eq(cairn_file_read(scratch, &data, &size), CAIRN_FORMAT);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "folder"));
    ck_assert_ptr_null(data);
}
END_TEST

/* A file that never ends is left. */
START_TEST(test_read_endless)
{
    char *data;
    size_t size;
    ck_assert_int_eq(cairn_file_read("/dev/zero", &data, &size), CAIRN_FORMAT);
    ck_assert_str_eq(cairn_error(),
                     "/dev/zero goes on behind 256 MiB; is it a device, not a file?");
    ck_assert_ptr_null(data);
}
END_TEST

/* Texts are small; a file that cannot be held is not begun. Both are holes: nothing lies on the
 * disk. */
START_TEST(test_read_too_large)
{
    char *data;
    size_t size;
    ck_assert_int_eq(cairn_file_write(in_folder("f"), "text", 4), CAIRN_OK);
    ck_assert_int_eq(cairn_file_read_text(in_folder("f"), "recipe", &data, &size), CAIRN_OK);
    ck_assert_str_eq(data, "text");
    free(data);
    ck_assert_int_eq(truncate(in_folder("f"), (16 << 20) - 2), 0);
    ck_assert_int_eq(cairn_file_read_text(in_folder("f"), "recipe", &data, &size), CAIRN_OK);
    ck_assert_uint_eq(size, (16 << 20) - 2);
    free(data);
    ck_assert_int_eq(truncate(in_folder("f"), (16 << 20) + 1), 0);
    ck_assert_int_eq(cairn_file_read_text(in_folder("f"), "recipe", &data, &size), CAIRN_FORMAT);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "f has more than 16 MiB: it is no recipe"));
    ck_assert_int_eq(truncate(in_folder("f"), (off_t)1 << 43), 0);
    ck_assert_int_eq(cairn_file_read(in_folder("f"), &data, &size), CAIRN_FORMAT);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "more than this machine's memory"));
    ck_assert_ptr_null(data);
    ck_assert_int_eq(cairn_file_read_text("/dev/zero", "recipe", &data, &size), CAIRN_FORMAT);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "/dev/zero has more than 16 MiB: it is no recipe"));
}
END_TEST

/* A read of a file without a size of its own. */
START_TEST(test_read_unsized)
{
    char *data;
    size_t size;
    ck_assert_int_eq(cairn_file_read("/proc/self/status", &data, &size), CAIRN_OK);
    ck_assert_uint_gt(size, 100);
    free(data);
}
END_TEST

START_TEST(test_failed_write_keeps_old)
{
    char *data, big[100000];
    size_t size;
    memset(big, 'x', sizeof big);
    ck_assert_int_eq(cairn_file_write(in_folder("f"), "old", 3), CAIRN_OK);

    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {5000, RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cairn_status st = cairn_file_write(in_folder("f"), big, sizeof big);
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(st, CAIRN_IO);
    ck_assert_msg(strstr(cairn_error(), "f.tmp.") && strstr(cairn_error(), strerror(EFBIG)), "%s",
                  cairn_error());

    ck_assert_int_eq(cairn_file_read(in_folder("f"), &data, &size), CAIRN_OK);
    ck_assert_str_eq(data, "old");
    free(data);
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(test_discard_and_stream)
{
    struct cairn_file_writer writer;
    ck_assert_int_eq(cairn_file_open(&writer, in_folder("g")), CAIRN_OK);
    fputs("half", writer.file);
    ck_assert_int_eq(cairn_file_close(&writer, 0), CAIRN_OK);
    ck_assert_int_eq(entries(), 0);
    ck_assert_int_eq(cairn_file_close(&writer, 1), CAIRN_OK); /* already closed */

    ck_assert_int_eq(cairn_file_open(&writer, in_folder("g")), CAIRN_OK);
    fputs("whole", writer.file);
    ck_assert(!cairn_file_exists(in_folder("g")));
    ck_assert_int_eq(cairn_file_close(&writer, 1), CAIRN_OK);
    ck_assert(cairn_file_exists(in_folder("g")));
}
END_TEST

START_TEST(test_rename)
{
    char *data, text[65];
    size_t size;
    ck_assert_int_eq(cairn_file_write(in_folder("f"), "abc", 3), CAIRN_OK);
    ck_assert_int_eq(cairn_digest_file(in_folder("f"), 1, text), CAIRN_OK);
    ck_assert_str_eq(text, "900150983cd24fb0d6963f7d28e17f72");
    ck_assert_int_eq(cairn_digest_file(in_folder("f"), 0, text), CAIRN_OK);
    ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    char *from = strdup(in_folder("f"));
    ck_assert_int_eq(cairn_file_rename(from, in_folder("no/f")), CAIRN_IO);
    ck_assert_int_eq(cairn_file_rename(from, in_folder("g")), CAIRN_OK);
    ck_assert_int_eq(cairn_file_rename(from, in_folder("g")), CAIRN_IO);
    ck_assert_int_eq(cairn_digest_file(from, 1, text), CAIRN_NOT_FOUND);
    ck_assert_int_eq(cairn_digest_file(scratch, 1, text), CAIRN_IO);
    ck_assert_int_eq(cairn_file_read(in_folder("g"), &data, &size), CAIRN_OK);
    ck_assert_str_eq(data, "abc");
    ck_assert_int_eq(entries(), 1);
    free(data);
    free(from);
}
END_TEST

START_TEST(test_write_failures)
{
    ck_assert_int_eq(cairn_file_write(in_folder("no/such/f"), "x", 1), CAIRN_IO);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "no/such/f"));
    ck_assert_int_eq(mkdir(in_folder("d"), 0777), 0);
    ck_assert_int_eq(cairn_file_write(in_folder("d"), "x", 1), CAIRN_INVALID);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "is a folder"));
    ck_assert_int_eq(entries(), 1);
}
END_TEST

/* A rename would put a file in the place of a pipe, or of /dev/null. */
START_TEST(test_write_no_device)
{
    struct stat info;
    ck_assert_int_eq(mkfifo(in_folder("p"), 0666), 0);
    ck_assert_int_eq(cairn_file_write(in_folder("p"), "x", 1), CAIRN_INVALID);
    ck_assert_ptr_nonnull(strstr(cairn_error(), "a device or a pipe"));
    ck_assert_int_eq(stat(in_folder("p"), &info), 0);
    ck_assert(S_ISFIFO(info.st_mode));
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(test_mkdirs)
{
    ck_assert_int_eq(cairn_file_mkdirs(in_folder("a/b//c/")), CAIRN_OK);
    ck_assert_int_eq(cairn_file_mkdirs(in_folder("a/b/c")), CAIRN_OK);
    ck_assert(cairn_file_exists(in_folder("a/b/c")));
    ck_assert_int_eq(cairn_file_write(in_folder("a/f"), "x", 1), CAIRN_OK);
    ck_assert_int_eq(cairn_file_mkdirs(in_folder("a/f/g")), CAIRN_IO);
    ck_assert_int_eq(cairn_file_mkdirs(in_folder("a/f")), CAIRN_IO);
    ck_assert_ptr_nonnull(strstr(cairn_error(), strerror(ENOTDIR)));
}
END_TEST

START_TEST(test_user_folders)
{
    char *path;
    setenv("XDG_CACHE_HOME", "/x", 1);
    setenv("XDG_DATA_HOME", "relative", 1);
    setenv("HOME", "/h", 1);
    ck_assert_str_eq(path = cairn_file_cache_dir(), "/x/cairn");
    free(path);
    ck_assert_str_eq(path = cairn_file_data_dir(), "/h/.local/share/cairn");
    free(path);
    unsetenv("HOME");
    ck_assert_ptr_null(cairn_file_data_dir());
    ck_assert_str_eq(path = cairn_file_join("a/", "b"), "a/b");
    free(path);
    ck_assert_str_eq(path = cairn_file_join("", "b"), "b");
    free(path);
}
END_TEST

START_TEST(test_digests)
{
    char text[65];
    struct cairn_digest *digest;
    ck_assert_int_eq(cairn_digest_sha256("abc", 3, text), CAIRN_OK);
    ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert_int_eq(cairn_digest_md5("", 0, text), CAIRN_OK);
    ck_assert_str_eq(text, "d41d8cd98f00b204e9800998ecf8427e");
    ck_assert_int_eq(cairn_digest_create(&digest), CAIRN_OK);
    ck_assert_int_eq(cairn_digest_add(digest, "a", 1), CAIRN_OK);
    ck_assert_int_eq(cairn_digest_add(digest, "bc", 2), CAIRN_OK);
    ck_assert_int_eq(cairn_digest_text(digest, text), CAIRN_OK);
    ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cairn_digest_destroy(digest);
    cairn_digest_destroy(NULL);
}
END_TEST

START_TEST(test_shell_words)
{
    static const struct {
        const char *word, *quoted;
    } rows[] = {
        {"runs/a-b_1.onnx", "runs/a-b_1.onnx"},
        {"", "''"},
        {"two words", "'two words'"},
        {"it's", "'it'\\''s'"},
        {"$x;", "'$x;'"},
    };
    char text[64], small[5];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = strlen(rows[i].quoted);
        ck_assert_uint_eq(cairn_text_shell(text, sizeof text, rows[i].word), n);
        ck_assert_str_eq(text, rows[i].quoted);
        ck_assert_uint_eq(cairn_text_shell(small, sizeof small, rows[i].word), n);
        ck_assert_uint_eq(strlen(small), n < 4 ? n : 4);
        ck_assert_int_eq(strncmp(small, rows[i].quoted, strlen(small)), 0);
        ck_assert_uint_eq(cairn_text_shell(NULL, 0, rows[i].word), n);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file");
    TCase *tc = tcase_create("file");
    tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
    tcase_add_test(tc, test_write_read);
    tcase_add_test(tc, test_read_failures);
    tcase_add_test(tc, test_read_endless);
    tcase_add_test(tc, test_read_too_large);
    tcase_add_test(tc, test_read_unsized);
    tcase_add_test(tc, test_failed_write_keeps_old);
    tcase_add_test(tc, test_discard_and_stream);
    tcase_add_test(tc, test_rename);
    tcase_add_test(tc, test_write_failures);
    tcase_add_test(tc, test_write_no_device);
    tcase_add_test(tc, test_mkdirs);
    tcase_add_test(tc, test_user_folders);
    tcase_add_test(tc, test_digests);
    tcase_add_test(tc, test_shell_words);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
