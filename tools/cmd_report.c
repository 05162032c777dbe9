/* cairn report: all that a run tells of itself, as one page. */
#include "commands.h"
#include "compute.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

static int read_format(const char *word, enum cairn_document_format *format)
{
    static const char *const words[] = {"html", "md", "json"};
    static const enum cairn_document_format formats[] = {
        CAIRN_DOCUMENT_HTML, CAIRN_DOCUMENT_MARKDOWN, CAIRN_DOCUMENT_JSON};
    for (int i = 0; i < 3; i++)
        if (!word || !strcmp(word, words[i])) {
            *format = formats[i];
            return -1;
        }
    return tool_misuse("report", "--format: '%s' is none of html, md, json", word);
}

int cmd_report(int argc, char **argv)
{
    struct cairn_document_options options = {.mistakes = 24};
    struct cairn_document_result result;
    struct compute_options compute = {0};
    const char *format = NULL;
    int as_json = 0, count;
    const struct option_row rows[] = {
        {"format", OPTION_TEXT, &format, "html|md|json", "of what form (html)", 0, 0, NULL},
        {"out", OPTION_TEXT, &options.out, "FILE",
         "default: report.html; md and json go to standard output", 0, 0, NULL},
        {"force", OPTION_FLAG, &options.force, NULL, "replace the file", 0, 0, NULL},
        {"profile", OPTION_FLAG, &options.profile, NULL,
         "time the kernels of some training steps on the device", 0, 0, NULL},
        {"mistakes", OPTION_INT, &options.mistakes, "K", "show the K surest mistakes (24)", 1,
         CAIRN_DOCUMENT_MISTAKES, NULL},
        {"image", OPTION_TEXT, &options.image, "IMAGE",
         "whose activations are shown: 17, train:17 (from 0) or FILE.png", 0, 0, NULL},
        {"device", OPTION_TEXT, &compute.device, "D",
         "reference, opencl, opencl:N, opencl:P.D or opencl:NAME", 0, 0, NULL},
        COMPUTE_DATA_ROW(&compute),
        {"json", OPTION_FLAG, &as_json, NULL,
         "print JSON: of the file that is written; else the report", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "report",
        "RUN [OPTION]...",
        "Tells of the folder RUN that `cairn train` made, in one file that needs nothing else: "
        "curves, confusion\nmatrix, classes, surest mistakes, weights, activations, layers, "
        "memory, "
        "device, digests. The test images\nare evaluated again for it; without the data set's "
        "files "
        "it says so, and tells the rest.",
        rows,
        1,
        1,
    };
    int code = options_parse(&set, argc, argv, &count);
    if (code == -1) code = read_format(format, &options.format);
    if (code == -1 && as_json && !options.out && !format) options.format = CAIRN_DOCUMENT_JSON;
    if (code == -1 && as_json && !options.out && options.format == CAIRN_DOCUMENT_MARKDOWN)
        code =
            tool_misuse("report", "--json and --format md exclude each other without --out FILE");
    if (code == -1 && options.force && !options.out && options.format != CAIRN_DOCUMENT_HTML)
        code = tool_misuse("report", "--force belongs to a file (--out FILE)");
    if (code == -1) code = compute_read("report", &compute, &options.compute);
    if (code != -1) return code;
    options.run = argv[1];
    cairn_status st = cairn_document_write(&options, &result);
    if (st != CAIRN_OK) return tool_fail("report", st);
    if (!*result.file) return 0;
    if (as_json)
        return tool_json_print("report",
                               json_pack("{s:o s:o s:i}", "run", tool_json_text(argv[1]), "file",
                                         tool_json_text(result.file), "missing", result.missing));
    printf("file      %s\n", result.file);
    if (result.missing)
        printf("missing   %d section%s, with the reason in its place\n", result.missing,
               result.missing == 1 ? "" : "s");
    return 0;
}
