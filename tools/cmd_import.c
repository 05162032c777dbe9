/* cairn import: a run of an ONNX model, or of weights as PyTorch names them. */
#include "commands.h"
#include "json.h"
#include "options.h"

#include <stdio.h>

static int print_json(const struct cairn_import_options *o, const struct cairn_import_result *r)
{
    return tool_json_print("import",
                           json_pack("{s:o s:s s:o s:i s:I s:s}", "file", tool_json_text(o->file),
                                     "format", r->format, "run", tool_json_text(o->run), "layers",
                                     r->layers, "parameters", (json_int_t)r->parameters,
                                     "weights_sha256", r->weights_sha256));
}

static void print_text(const struct cairn_import_options *o, const struct cairn_import_result *r)
{
    printf("%-16s%s\n", "run", o->run);
    printf("%-16s%d\n", "layers", r->layers);
    printf("%-16s%lld\n", "parameters", (long long)r->parameters);
    printf("%-16s%s\n", "weights_sha256", r->weights_sha256);
    printf("\n`cairn eval %s` tests it, `cairn train %s/recipe.yaml --out %s --resume` trains it "
           "further\n",
           o->run, o->run, o->run);
}

int cmd_import(int argc, char **argv)
{
    struct cairn_import_options options = {0};
    struct cairn_import_result result;
    struct option_list sets = {0};
    int as_json = 0, count;
    const struct option_row rows[] = {
        {"recipe", OPTION_TEXT, &options.recipe, "RECIPE",
         "its data and training; its layers, too, where FILE has weights alone", 0, 0, NULL},
        {"set", OPTION_LIST, &sets, "K=V", "another value in the recipe, like train.batch=64", 0, 0,
         NULL},
        {"data-dir", OPTION_TEXT, &options.data_dir, "DIR", "folder of the data set's files", 0, 0,
         NULL},
        {"force", OPTION_FLAG, &options.force, NULL, "replace a run that is there", 0, 0, NULL},
        {"json", OPTION_FLAG, &as_json, NULL, "print JSON", 0, 0, NULL},
        {NULL, OPTION_FLAG, NULL, NULL, NULL, 0, 0, NULL},
    };
    const struct option_set set = {
        "import",
        "FILE RUN [OPTION]...",
        "Makes a run in the folder RUN: of FILE.onnx, a model of the operators that Cairn has, or "
        "of "
        "\nFILE.safetensors, weights with the names and layouts of PyTorch's state_dict "
        "(docs/onnx.md).",
        rows,
        2,
        2,
    };
    int code = options_parse(&set, argc, argv, &count);
    if (code != -1) return code;
    options.file = argv[1];
    options.run = argv[2];
    options.sets = sets.items;
    options.set_count = sets.count;
    cairn_status st = cairn_import(&options, &result);
    if (st != CAIRN_OK) return tool_fail("import", st);
    if (as_json) return print_json(&options, &result);
    print_text(&options, &result);
    return 0;
}
