public import Foundation
internal import Safetensors
public import TensorCore

/// Reads fixtures in the safetensors format.
public enum SafeTensors {
    /// Reads all tensors of a file.
    ///
    /// - Parameter file: A safetensors file.
    /// - Returns: The tensors by name.
    /// - Throws: `SafetensorsError`.
    public static func read(_ file: URL) throws -> [String: Tensor] {
        try SafetensorsFile(contentsOf: file).tensors
    }
}
