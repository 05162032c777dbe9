/* cairn export: a run's model as ONNX, or its weights as PyTorch names them. */
#include "commands.h"
#include "compute.h"
#include "json.h"
#include "options.h"

#include <stdio.h>

static int print_json(const struct cairn_export_options *o, const struct cairn_export_result *r)
{
    json_t *opset = r->opset ? json_integer(r->opset) : json_null();
    json_t *object = json_pack(
        "{s:o s:o s:s s:o s:[I,I,I] s:I s:I s:I s:I s:s}", "run", tool_json_text(o->run), "file",
        tool_json_text(o->file), "format", r->format, "opset", opset, "input", (json_int_t)r->c,
        (json_int_t)r->h, (json_int_t)r->w, "classes", (json_int_t)r->classes, "parameters",
        (json_int_t)r->parameters, "bytes", (json_int_t)r->bytes, "epoch", (json_int_t)r->epoch,
        "weights_sha256", r->weights_sha256);
    return tool_json_print("export", object);
}

static void print_text(const struct cairn_export_options *o, const struct cairn_export_result *r)
{
    printf("%-16s%s, %lld bytes", "written", o->file, (long long)r->bytes);
    if (r->opset) printf(" (ONNX, opset %d)", r->opset);
    printf("\n%-16sN x %lld x %lld x %lld, bytes as float32\n", "input", (long long)r->c,
           (long long)r->h, (long long)r->w);
    printf("%-16sN x %lld\n", "output", (long long)r->classes);
    printf("%-16s%lld\n", "parameters", (long long)r->parameters);
    printf("%-16s%s (epoch %lld)\n", "weights_sha256", r->weights_sha256, (long long)r->epoch);
}

int cmd_export(int argc, char **argv)
{
    struct cairn_export_options options = {0};
    struct cairn_export_result result;
    int best = 0, as_json = 0, count;
    const struct option_row rows[] = {
        COMPUTE_BEST_ROW(&best),
        COMPUTE_LAST_ROW(&options.last),
        {"data-dir", OPTION_TEXT, &options.data_dir, "DIR", "folder of the data set's files", 0, 0,
         NULL},
        {"force", OPTION_FLAG, &options.force, NULL, "replace a file that is there", 0, 0, NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "export",
        "RUN FILE [OPTION]...",
        "Writes the model in the folder RUN that `cairn train` made: FILE.onnx is the whole model "
        "as ONNX, from\nbytes of pixels to what the last layer gives; FILE.safetensors its weights "
        "alone, with the names and\nlayouts of PyTorch's state_dict (docs/onnx.md).",
        rows,
        2,
        2,
    };
    int code = options_parse(&set, argc, argv, &count);
    if (code == -1 && best && options.last)
        code = tool_misuse("export", "--best and --last exclude each other");
    if (code != -1) return code;
    options.run = argv[1];
    options.file = argv[2];
    cairn_status st = cairn_export(&options, &result);
    if (st != CAIRN_OK) return tool_fail("export", st);
    if (as_json) return print_json(&options, &result);
    print_text(&options, &result);
    return 0;
}
