// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "seqnorm-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "seqnorm", path: "..")],
    targets: [
        // The yardstick: its sgemm.
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .executableTarget(
            name: "KernelBenchmarks",
            dependencies: [
                "COneDNN",
                .product(name: "Kernels", package: "seqnorm"),
            ],
            swiftSettings: strict,
            linkerSettings: [.linkedLibrary("m")]
        ),
        .executableTarget(
            name: "NormalizationBenchmarks",
            dependencies: [.product(name: "Statistics", package: "seqnorm")],
            swiftSettings: strict
        ),
    ]
)
