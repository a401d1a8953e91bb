public import Foundation

/// Where the files of `Tests/Fixtures` lie.
///
/// ```swift
/// let model = try Model(contentsOf: Fixtures.reference("models/vowels-cnn/inference.onnx"))
/// ```
public enum Fixtures {
    /// The folder `Tests/Fixtures` of the checkout these tests were compiled in.
    public static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent()
        .deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    /// A file of `Tests/Fixtures`.
    ///
    /// - Parameter path: Relative to the folder.
    /// - Returns: The file's place, whether it exists or not.
    public static func file(_ path: String) -> URL { folder.appendingPathComponent(path) }

    /// A file of `Tests/Fixtures/reference`: trained models, real data, and what the models must give.
    ///
    /// - Parameter path: Relative to the folder, such as `models/vowels-cnn/inference.onnx`.
    /// - Returns: The file's place, whether it exists or not.
    public static func reference(_ path: String) -> URL { file("reference").appendingPathComponent(path) }
}
