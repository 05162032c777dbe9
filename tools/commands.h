/* The program's commands: each is a function like main() whose argv[0] is the command's name. It
 * prints results on standard output, progress and complaints on standard error, and returns the
 * exit status: 0 good, 1 the thing asked about failed, 2 wrong use or bad input, 3 a device or
 * system failure. Files in tools/ include public headers only. */
#ifndef CAIRN_TOOLS_COMMANDS_H
#define CAIRN_TOOLS_COMMANDS_H

#include <cairn/cairn.h>
#include <signal.h>

/* X(name, what it does): the list of commands, in the order of `cairn --help`; the function is
 * cmd_NAME, with '_' where the user writes '-'. A command's row is added when its file is. */
#define CAIRN_COMMANDS(X)                                                                          \
    X(devices, "list the devices: what they can do, whether they are exact")                       \
    X(summary, "describe a recipe: layers, shapes, parameters, memory")                            \
    X(train, "train a recipe, or go on with a run")                                                \
    X(eval, "test a run's weights: loss, accuracy, confusion matrix, mistakes")                    \
    X(predict, "tell what a run's net takes images for")                                           \
    X(inspect, "draw a run's weights, activations or curves")                                      \
    X(report, "tell all of a run in one page: HTML, Markdown or JSON")                             \
    X(export, "write a run's model as ONNX, or its weights as PyTorch names them")                 \
    X(import, "make a run of an ONNX model, or of weights as PyTorch names them")                  \
    X(data, "list the data sets, or fetch the files of one")                                       \
    X(gradcheck, "measure gradients against slopes of the loss")                                   \
    X(compare, "devices and kernels side by side: results, speed, memory")                                \
    X(check, "compare operators with the reference, bit by bit")                                   \
    X(doctor, "examine a device: is it exact, and what is not")                                    \
    X(onnx_test, "run ONNX's own tests of operators")                                              \
    X(bench, "time an operator, alone or against a peer")                                          \
    X(cache, "list what is kept from run to run, or remove what is of no use")                     \
    X(tune, "race the variants of a recipe's operators, keep the fastest")

#define CAIRN_COMMAND_DECL(name, text) int cmd_##name(int argc, char **argv);
CAIRN_COMMANDS(CAIRN_COMMAND_DECL)
#undef CAIRN_COMMAND_DECL

/* The same as a table, which ends with an empty name. */
struct tool_command {
    char name[16]; /* as users write it: '-' where the function has '_' */
    int (*run)(int argc, char **argv);
    const char *text;
};
const struct tool_command *tool_commands(void);
const struct tool_command *tool_find_command(const char *name); /* NULL: there is none */

/* cairn --complete WORD...: what the last word could be; see complete.c. Returns 0. */
int tool_complete(int count, char **words);

/* Prints "cairn COMMAND: DETAIL" for the last failure of the library and returns the exit status
 * that belongs to it. */
int tool_fail(const char *command, cairn_status status);

/* Prints "cairn: note: TEXT" on standard error: what is no failure. */
void tool_note(const char *text);

/* Prints "cairn COMMAND: FORMAT..." and returns 2: for wrong use. */
int tool_misuse(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether a line on standard error may be rewritten, as progress is: it is a terminal, and TERM is
 * set and not "dumb". And whether it may be coloured: NO_COLOR is empty or not set, too. */
int tool_can_rewrite(void);
int tool_can_colour(void);

/* Catches SIGINT and SIGTERM from now on: the first sets the flag that is returned, the second one
 * ends the program as usual. sa_flags: SA_RESTART, or 0 for signals that break off what waits. */
const volatile sig_atomic_t *tool_watch_signals(int sa_flags);

/* `value`, or a NaN without a sign: printf() writes one that a processor made as "-nan". */
double tool_real(double value);

#endif
