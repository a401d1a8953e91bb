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
        .executableTarget(
            name: "KernelBenchmarks",
            dependencies: [
                .product(name: "COneDNN", package: "seqnorm"),
                .product(name: "Kernels", package: "seqnorm"),
            ],
            swiftSettings: strict,
            linkerSettings: [.linkedLibrary("m")])
    ]
)
