/* Runs a target over files and folders of inputs: replay PATH... Without libFuzzer this is the
 * target's main(); every test run replays the seeds and the inputs that once broke something. The
 * last line tells the input at hand if the process dies. */
#include "base/file.h"
#include "fuzz.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int replayed;

static int replay(const char *path);

static int replay_folder(const char *path)
{
    int code = 0;
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0) return fprintf(stderr, "%s: cannot list the folder\n", path), 2;
    for (int i = 0; i < count; i++) {
        char *below = names[i]->d_name[0] == '.' ? NULL : cairn_file_join(path, names[i]->d_name);
        if (below && !code) code = replay(below);
        free(below);
        free(names[i]);
    }
    free(names);
    return code;
}

static int replay(const char *path)
{
    struct stat info;
    char *data;
    size_t size;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return replay_folder(path);
    if (cairn_file_read(path, &data, &size) != CAIRN_OK)
        return fprintf(stderr, "%s\n", cairn_error()), 2;
    uint8_t *exact = malloc(size ? size : 1); /* no 0 behind it */
    FUZZ_ASSERT(exact != NULL);
    memcpy(exact, data, size);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(exact, size);
    if (fuzz_accepted())
        fprintf(stderr, "%s is good\n", path);
    else
        fprintf(stderr, "refused: %s\n", cairn_error());
    free(exact);
    free(data);
    replayed++;
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int code = replay(argv[i]);
        if (code) return code;
    }
    printf("%d inputs\n", replayed);
    return replayed ? 0 : 2;
}
