/* Where the files that this build installs are, in whatever prefix they ended up. */
#ifndef CAIRN_BASE_INSTALLED_H
#define CAIRN_BASE_INSTALLED_H

/* The path of an installed file, given from the prefix on ("share/cairn/recipes"; one that begins
 * with / is itself). The prefix is that of the shared library which runs, or of the program that
 * holds the static one, where that lies as this build installs it, in PREFIX/lib or PREFIX/bin: so
 * an installed tree can be moved. Else it is the prefix that was built for. From malloc; NULL when
 * out of memory. Whether there is such a file is not looked at. */
char *cairn_installed_path(const char *below);

#endif
