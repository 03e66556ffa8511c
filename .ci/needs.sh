# Sourced: the programs without which some tests are skipped, and Debian's packages of each.
programs=(chromium strace zsh fish octave Rscript)

# Print the packages that a program lacks.
lacks() {
    local command=$1 package
    local packages=("$1")
    case $1 in
        chromium) command -v google-chrome > /dev/null && command=google-chrome ;;
        octave) packages+=(octave-netcdf gnuplot-nox fonts-freefont-otf) ;;
        Rscript) packages=(r-base-core r-cran-ncdf4) ;;
    esac
    command -v "$command" > /dev/null || echo "${packages[0]}"
    for package in "${packages[@]:1}"; do
        dpkg --status "$package" > /dev/null 2>&1 || echo "$package"
    done
}
